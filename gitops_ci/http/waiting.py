"""How long to wait before a request is tried again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import uniform

__all__ = ["asked_wait", "backoff", "unasked_wait"]


def backoff(attempt: int) -> float:
    """0.5, 1, 2, 4, ... at most 30 seconds, half of it jitter so that parallel jobs do not march in step."""
    return min(30.0, 0.5 * 2.0 ** (attempt - 1)) * uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret


def unasked_wait(attempt: int, *, tries: int) -> float:
    """Seconds after a rate limit that names no time: a minute, then twice as long each time, after `tries` short ones.

    Source: docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit.
    """
    return backoff(attempt) if attempt < tries else 60.0 * 2.0 ** (attempt - max(tries, 1))


def asked_wait(status: int, headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that the answer asks to wait, by `Retry-After` (RFC 9110 §10.2.3) or a spent rate limit.

    Dates are compared with the server's own `Date`, so that a wrong clock on either side does no harm.
    A negative or unreadable value asks for nothing.
    """
    if status not in {403, 429, 503}:
        return None
    from email.utils import parsedate_to_datetime

    def moment(text: str) -> float | None:
        try:
            return parsedate_to_datetime(text).timestamp()
        except (ValueError, TypeError, OverflowError):
            return None

    server_now = moment(headers.get("date", "")) or now
    told = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,15}", told):
        return float(told)
    if told and (at := moment(told)) is not None:
        return max(0.0, at - server_now)
    for prefix in ("x-ratelimit-", "ratelimit-"):
        if headers.get(prefix + "remaining", "").strip() == "0":
            reset = headers.get(prefix + "reset", "").strip()
            if re.fullmatch(r"[0-9]{1,15}", reset):
                # GitHub and GitLab give a moment, the IETF draft seconds from now.
                return max(0.0, float(reset) - server_now) if float(reset) > 1e9 else float(reset)
    return None
