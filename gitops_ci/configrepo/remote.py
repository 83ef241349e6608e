"""What a remote's words mean: for the hint of an error, never for deciding whether something landed."""

from __future__ import annotations

import re

from gitops_ci.configrepo.git import ASK_GIT, GitCredentials, last_lines
from gitops_ci.errors import GitError
from gitops_ci.repourl import RepoUrl

__all__ = ["passes", "refusal", "unreachable"]

_NO_BRANCH = re.compile(r"couldn't find remote ref|not our ref")
_SIGN_IN = re.compile(
    r"Authentication failed|could not read (?:Username|Password)|terminal prompts disabled|HTTP Basic|401"
)
_DENIED = re.compile(r"error: 403|Permission denied|Write access to repository not granted|not allowed to")
_MISSING = re.compile(
    r"[Rr]epository .*not found|does not appear to be a git repository|error: 404|project you were looking for"
    r"|does not exist"
)
_HOST = re.compile(r"Could not resolve (?:host|proxy)|Name or service not known")
_DOWN = re.compile(r"Connection refused|Failed to connect|Connection timed out|Couldn't connect|unable to access.*50\d")
_UNKNOWN_KEY = re.compile(r"Host key verification failed")
_OWNER = re.compile(r"dubious ownership")
_REDIRECT = re.compile(r"unable to update url base from redirection|error: 30\d")
# Said by servers that were busy with somebody else's push to the same branch, not by a rule: worth another try.
_BUSY = re.compile(
    r"cannot lock ref|failed to (?:update ref|lock)|incorrect old value|reference already exists"
    r"|stale info|fetch first|non-fast-forward"
)
_TROUBLE = re.compile(
    r"Internal Server Error|error: (?:429|50\d)|hung up|early EOF|timed out|Connection reset|Empty reply|RPC failed"
)


def passes(said: str) -> bool:
    """Whether this was a trouble of the network or the server that often is over a moment later."""
    return _TROUBLE.search(said) is not None


def unreachable(url: RepoUrl, said: str, *, credentials: GitCredentials | None, branch: str = "") -> GitError:
    """The error for a repository that could not be read."""
    advice = credentials.advice if credentials else ""
    if _NO_BRANCH.search(said):
        return GitError(f"The branch {branch} is not in {url}", hint="Name the branch with --base.")
    if _SIGN_IN.search(said):
        if credentials:
            usual = "Is it for this host, still valid, and allowed to read the repository?"
            return GitError(f"{url} refuses the token", hint=advice or usual)
        return GitError(
            f"{url} wants a sign-in", hint="Set GITOPS_CI_TOKEN to a token that may read and write this repository."
        )
    if _UNKNOWN_KEY.search(said):
        port = f"-p {url.port} " if url.port else ""
        return GitError(
            f"The key of {url.netloc} is not in known_hosts, or is another than there",
            hint=f"Check it with the host's owner and add it: ssh-keyscan {port}{url.host} >> ~/.ssh/known_hosts",
        )
    if _HOST.search(said):
        return GitError(
            f"The host {url.host} is not known", hint="Check --config-repo for a typing error, and the network's DNS."
        )
    if _DOWN.search(said):
        return GitError(
            f"{url.netloc or url} does not answer: {last_lines(said, 1)}", hint="Is the address right and the host up?"
        )
    if _OWNER.search(said):
        return GitError(
            f"{url} belongs to another user", hint="Git refuses folders of other users: run as the folder's owner."
        )
    if _REDIRECT.search(said):
        return GitError(
            f"{url} redirects elsewhere",
            hint="Give the new address in --config-repo: a token is not carried along redirects.",
        )
    if _MISSING.search(said):
        hint = "Check --config-repo. Code hosts also say so when the token may not see a private repository."
        return GitError(f"There is no repository at {url}", hint=f"{hint} {advice}".rstrip())
    if _DENIED.search(said):
        return GitError(
            f"{url} refuses access: {last_lines(said, 1)}",
            hint=advice or "Give the token (or the ssh key) access to this repository.",
        )
    return GitError(f"{url} cannot be read: {last_lines(said)}", hint=ASK_GIT)


def refusal(url: RepoUrl, branch: str, said: str, *, credentials: GitCredentials | None) -> GitError | None:
    """The error for a push that was refused for good, None when another try may succeed."""
    reason = _reason(said)
    if re.search(r"protected branch|GH006|GH013|[Pp]rotected", said):
        return GitError(
            f"{branch} of {url} is protected: {reason}", hint="Use --mode pull-request, or let this token push there."
        )
    if "denyCurrentBranch" in said or "checked out" in said:
        return GitError(
            f"{branch} is checked out in {url}", hint="Push to a bare repository, or use --mode pull-request."
        )
    if re.search(r"hook declined|pre-receive|declined", said):
        return GitError(f"A hook of {url} refused the push to {branch}: {reason}", hint="The hook's message says why.")
    if "does not support push options" in said:
        return GitError(f"{url} takes no push options", hint="Use a token that may open pull requests by the API.")
    if _BUSY.search(said) or passes(said):
        return None
    if _SIGN_IN.search(said) or _DENIED.search(said):
        usual = "It needs write access to the repository's contents."
        return GitError(
            f"The token may not push to {url}: {reason}", hint=(credentials.advice if credentials else "") or usual
        )
    return GitError(f"{url} refused the push to {branch}: {reason}", hint=ASK_GIT)


def _reason(said: str) -> str:
    remote = [line.removeprefix("remote:").strip() for line in said.splitlines() if line.startswith("remote:")]
    rejected = re.findall(r"\[remote rejected\] \((.*?)\)", said)
    text = " / ".join([line for line in remote if line][-3:] + rejected)
    return text or last_lines(said)
