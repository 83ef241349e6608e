"""How GitHub is asked, over REST and GraphQL, and what its refusals mean."""

from __future__ import annotations

from typing import Any

from gitops_ci.forges.api import Api, Fields, as_object, texts
from gitops_ci.forges.tokens import advice, refused
from gitops_ci.http import Http
from gitops_ci.secret import Secret

__all__ = ["GitHubApi"]

_GRAPHQL_STATUS = {"STALE_DATA": 409, "NOT_FOUND": 404, "FORBIDDEN": 403, "RATE_LIMITED": 429}


class GitHubApi(Api):
    """REST, and GraphQL at an address of its own: Enterprise Server keeps the two apart."""

    def __init__(self, http: Http, graphql_url: str, token: Secret | None) -> None:
        super().__init__(http, "GitHub", explain=_explain, hint=lambda status, words: _hint(status, words, token))
        self._graphql_url = graphql_url

    def query(self, document: str, doing: str, **variables: Any) -> Fields:
        """The `data` of a GraphQL query, which may be asked again."""
        return self._graphql(document, doing, variables, safe=True)

    def mutate(self, document: str, doing: str, wanted: dict[str, Any], *, safe: bool | None = None) -> Fields:
        """The `data` of a mutation with its one `input`."""
        return self._graphql(document, doing, {"input": wanted}, safe=safe)

    def _graphql(self, document: str, doing: str, variables: dict[str, Any], *, safe: bool | None) -> Fields:
        body = {"query": document, "variables": variables}
        answer = as_object(self.send("POST", self._graphql_url, doing, body, safe=safe))
        if errors := answer.get("errors"):
            kinds = texts(errors, "type")
            status = next((code for kind, code in _GRAPHQL_STATUS.items() if kind in kinds), 422)
            raise self.refusal(status, "; ".join(texts(errors, "message")), doing)
        return as_object(answer.get("data"))


def _explain(body: Any) -> str:
    """`message` and what stands in `errors` (docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api)."""
    parts = [str(body["message"])]
    for error in body.get("errors") or ():
        if isinstance(error, str):
            parts.append(error)
        else:
            parts.append(error.get("message") or f"{error.get('field', '')} {error.get('code', '')}".strip())
    return "; ".join(part for part in parts if part)


def _hint(status: int, words: str, token: Secret | None) -> str:
    said = words.casefold()
    if "not permitted to create or approve pull requests" in said:
        return (
            "Turn on 'Allow GitHub Actions to create and approve pull requests' under Settings, Actions, General, "
            "or use the token of a GitHub App."
        )
    if "secondary rate limit" in said or "abuse detection" in said:
        return "Too many requests at once with this token: run again in some minutes."
    if "saml" in said:
        return "Authorize the token for the organization's single sign-on."
    if "no commits between" in said:
        return "The branch has nothing that the base branch has not: delete it and run again."
    if "auto-merge is" in said or "auto merge is not allowed" in said:
        return (
            "Turn on 'Allow auto-merge' in the repository's settings, and require the checks on the base branch: "
            "auto-merge waits for required checks only."
        )
    if status == 401:
        return refused(token, "github")
    if status in {403, 404}:
        return advice(token, "github") or "The token needs write access to contents and pull requests."
    if status == 422 and "base invalid" in said:
        return "Is there such a base branch? Name one with --base."
    return ""
