"""The `format` of strings in schemas of custom resources, as the API server tests them.

Source: k8s.io/apiextensions-apiserver pkg/apiserver/validation/formats.go for which are tested, and since when;
k8s.io/kube-openapi pkg/validation/strfmt for how. Where one of its grammars is large (addresses of mail), what is
plainly none is refused and the rest is taken.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date

from gitops_ci.validation import gates
from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.go.url import NoUrlError, parse_url

__all__ = ["string_format"]


def string_format(name: str, minor: int) -> Callable[[str], bool] | None:
    """The test of a format, None for one that a server of this minor version does not know, and so does not test."""
    plain = name.replace("-", "")
    if plain in _OF_KUBERNETES and not gates.KUBERNETES_FORMATS.is_on(minor):
        return None
    return _FORMATS.get(plain)


def _matches(pattern: str, flags: int = re.ASCII) -> Callable[[str], bool]:
    compiled = re.compile(pattern, flags)
    return lambda value: compiled.fullmatch(value) is not None


def _uri(value: str) -> bool:
    try:
        parse_url(value, of_request=True)
    except NoUrlError:
        return False
    return True


_MAIL = re.compile(r"[^@]*[^@\s]@[^@\s][^@]*|[^@]*\"[^\"]*\"@[^@]+", re.DOTALL)


def _email(value: str) -> bool:
    address = re.search(r"<([^<>]*)>\s*$", value)
    found = address[1] if address else value.strip(" \t")
    if not _MAIL.fullmatch(found):
        return False
    local, _, domain = found.rpartition("@")
    quoted = local.startswith('"') and local.endswith('"') and len(local) > 2
    if not quoted and re.search(r"[\s()<>\[\]:;\\,\"]|^\.|\.$|\.\.", local):
        return False
    return domain.startswith("[") or not re.search(r"[\s<>\[\]:;\\,\"]|^\.|\.$|\.\.", domain.partition(" (")[0])


# Letters and symbols of Unicode count in a host name; the symbols of ASCII are these.
_WORD = r"[A-Za-z0-9$+<=>^`|~]"
_HOSTNAME = re.compile(
    rf"{_WORD}(?:-?{_WORD}{{0,62}})?|(?:{_WORD}(?:[A-Za-z0-9$+<=>^`|~-]{{0,61}}{_WORD})?\.)+[A-Za-z]{{2,63}}"
)


def _hostname(value: str) -> bool:
    if not value.isascii():
        kinds = {"L": "a", "S": "$"}
        plain = (c if c.isascii() else kinds.get(unicodedata.category(c)[0], "_") for c in value)
        return _hostname_fits(value.encode(), "".join(plain))
    return _hostname_fits(value.encode(), value)


def _hostname_fits(octets: bytes, plain: str) -> bool:
    short = len(octets) <= 255 and all(len(label) <= 63 for label in octets.split(b"."))
    return short and _HOSTNAME.fullmatch(plain) is not None


def _date(value: str) -> bool:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return False
    try:
        date.fromisoformat(value if value[:4] != "0000" else f"2000{value[4:]}")
    except ValueError:
        return False
    return True


_TIME = re.compile(r"([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|[+-][0-9]{2}:[0-9]{2})")


def _date_time(value: str) -> bool:
    day, *times = value.lower().split("t")
    found = _TIME.fullmatch(times[0]) if times else None
    return bool(found and _date(day) and found[1] <= "23" and found[2] <= "59" and found[3] <= "59")


_GO_DURATION = re.compile(r"[-+]?(?:0|(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+)")
_ANY_DURATION = re.compile(r"(?<![0-9])([0-9]+)[\t\n\f\r ]*([A-Za-zµ]+)")
_UNITS = frozenset({"ns", "us", "µs", "ms", "s", "m", "h", "hr", "d", "w", "wk"})
_LONG_UNITS = ("nano", "micro", "milli", "sec", "min", "hour", "day", "week")


def _duration(value: str) -> bool:
    if _GO_DURATION.fullmatch(value):
        return True
    found = _ANY_DURATION.findall(value)
    if any(len(number.lstrip("0")) > 18 for number, _ in found):
        return False
    units = [unit.lower() for _, unit in found]
    return any(unit in _UNITS or unit.startswith(_LONG_UNITS) for unit in units)


def _ipv4(value: str) -> bool:
    return "." in value and formats.parse_ip(value) is not None


def _ipv6(value: str) -> bool:
    return ":" in value and formats.parse_ip(value) is not None


def _mac(value: str) -> bool:
    if len(value) in {12, 16, 40} and re.fullmatch(r"[0-9A-Fa-f]+", value):
        return True  # newer versions of Go take it
    for mark, size in ((":", 2), ("-", 2), (".", 4)):
        parts = value.split(mark)
        if len(parts) * size in {12, 16, 40}:
            return all(re.fullmatch(rf"[0-9A-Fa-f]{{{size}}}", part) for part in parts)
    return False


def _isbn10(value: str) -> bool:
    digits = re.sub(r"[\s-]+", "", value)
    if not re.fullmatch(r"[0-9]{9}[0-9X]", digits):
        return False
    return sum(place * (10 if digit == "X" else int(digit)) for place, digit in enumerate(digits, 1)) % 11 == 0


def _isbn13(value: str) -> bool:
    digits = re.sub(r"[\s-]+", "", value)
    if not re.fullmatch(r"[0-9]{13}", digits):
        return False
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits)) % 10 == 0


_CARD = re.compile(
    r"4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}"
    r"|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35[0-9]{3})[0-9]{11}"
)


def _credit_card(value: str) -> bool:
    digits = re.sub(r"[^0-9]+", "", value)
    if not _CARD.fullmatch(digits):
        return False
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(number - 9 * (number > 9) for number in doubled) % 10 == 0


def _uuid(version: str, variant: str) -> Callable[[str], bool]:
    return _matches(
        rf"(?i)[0-9a-f]{{8}}-?[0-9a-f]{{4}}-?{version}[0-9a-f]{{3}}-?{variant}[0-9a-f]{{3}}-?[0-9a-f]{{12}}"
    )


_BYTE = r"(?:0|[1-9][0-9]?|1[0-9][0-9]?|2[0-4][0-9]|25[0-5])"
_ANY = "[0-9a-f]"
_FORMATS: Mapping[str, Callable[[str], bool]] = {
    "bsonobjectid": _matches(r"[0-9A-Fa-f]{24}"),
    "byte": _matches(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})"),
    "cidr": lambda value: formats.parse_cidr(value) is not None,
    "creditcard": _credit_card,
    "date": _date,
    "datetime": _date_time,
    "duration": _duration,
    "email": _email,
    "hexcolor": _matches(r"#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})"),
    "hostname": _hostname,
    "ipv4": _ipv4,
    "ipv6": _ipv6,
    "isbn": lambda value: _isbn10(value) or _isbn13(value),
    "isbn10": _isbn10,
    "isbn13": _isbn13,
    "k8slongname": lambda value: formats.dns_subdomain(value) is None,
    "k8sshortname": lambda value: formats.dns_label(value) is None,
    "mac": _mac,
    "password": lambda value: True,  # noqa: ARG005
    "rgbcolor": _matches(rf"rgb\(\s*{_BYTE}\s*,\s*{_BYTE}\s*,\s*{_BYTE}\s*\)"),
    "ssn": _matches(r"(?=.{11}$)[0-9]{3}[- ]?[0-9]{2}[- ]?[0-9]{4}"),
    "uri": _uri,
    "uuid": _uuid(_ANY, _ANY),
    "uuid3": _uuid("3", _ANY),
    "uuid4": _uuid("4", "[89ab]"),
    "uuid5": _uuid("5", "[89ab]"),
}
_OF_KUBERNETES = {"k8sshortname", "k8slongname"}
