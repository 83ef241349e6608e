"""What a remote's words mean: for the hint of an error, never for deciding whether something landed."""

from __future__ import annotations

import re

from gitops_ci.configrepo.git import ASK_GIT, GitCredentials, last_lines
from gitops_ci.errors import GitError
from gitops_ci.repourl import RepoUrl

__all__ = ["ForcePushRefused", "fetch_error", "is_transient", "lacks_shallow", "no_git_there", "push_error"]

_NO_BRANCH = re.compile(r"couldn't find remote ref|not our ref")
_SIGN_IN = re.compile(
    r"Authentication failed|could not read (?:Username|Password)|terminal prompts disabled|HTTP Basic|error: 401"
)
_DENIED = re.compile(r"error: 403|Permission denied|Write access to repository not granted|not allowed to")
_MISSING = re.compile(
    r"[Rr]epository .*not found|does not appear to be a git repository|error: 404|project you were looking for"
    r"|does not exist"
)
_HOST = re.compile(r"Could not resolve (?:host|proxy)|Name or service not known")
_UNABLE = re.compile(r"^fatal: unable to access '[^']*': ")  # the address is in the message already
_DOWN = re.compile(r"Connection refused|Failed to connect|Connection timed out|Couldn't connect|unable to access.*50\d")
_UNKNOWN_KEY = re.compile(r"Host key verification failed")
_CHANGED_KEY = re.compile(r"REMOTE HOST IDENTIFICATION HAS CHANGED")
# curl's words, with OpenSSL, GnuTLS and others behind it.
_UNTRUSTED = re.compile(r"SSL certificate problem|certificate verif(?:y|ication) failed|certificate is not trusted")
_OWNER = re.compile(r"dubious ownership")
# GitHub, GitLab, Gitea; Azure DevOps and Bitbucket name the way that is left: "only through pull requests".
_PROTECTED = re.compile(r"[Pp]rotected|GH006|GH013|pull request|Permission denied to update branch")
_FSCK = re.compile(r"error: (object \w+: .+)\n(?:.*\n)*fatal: fsck error")
_NO_SHALLOW = re.compile(r"does not support shallow|dumb http transport")
_REDIRECT = re.compile(r"unable to update url base from redirection|error: 30\d")
# A branch cannot be there beside one whose name begins with it and a slash (gitglossary(7), "directory/file conflict").
_IN_THE_WAY = re.compile(r"'refs/heads/([^']+)' exists; cannot create")
# GitHub, GitLab, git itself (`receive.denyNonFastForwards`), Bitbucket, Azure DevOps.
_NO_FORCE = re.compile(
    r"[Cc]annot force-push|not allowed to force push|denying non-fast-forward|\(non-fast-forward\)"
    r"|rewrite (?:branch )?history|ForcePush"
)
# Of Gerrit (CommitValidators, PermissionBackend), and what a hook of its says to a push beside the review.
_GERRIT = (
    ("Push to refs/for/", "This is Gerrit: propose the change with --forge gerrit and --mode pull-request."),
    ("invalid committer", "Name somebody with an address of the account with --committer, or grant 'Forge Committer'."),
    ("invalid author", "Name somebody with an address of the account with --author, or grant 'Forge Author'."),
    ("not permitted: create change", "Grant the account the right 'Push' on refs/for/refs/heads/*."),
    ("prohibited by Gerrit", "Grant the account the right that it lacks, in the access settings of the repository."),
)
_UNSIGNED = re.compile(r"verified signature|must be signed|[Uu]nsigned commit|not signed with")
# Said by servers that were busy with somebody else's push to the same branch, not by a rule: worth another try. A push
# onto a base that was replaced meanwhile lacks the history of the new one ("shallow update").
_BUSY = re.compile(
    r"cannot lock ref|failed to (?:update ref|lock)|incorrect old value|reference already exists"
    r"|stale info|fetch first|shallow update not allowed"
)
# Answers that break off: curl says so in many words, git in those of its protocol where the length was not known.
_TROUBLE = re.compile(
    r"Internal Server Error|error: (?:429|50\d)|hung up|early EOF|timed out|Connection reset|Empty reply|RPC failed"
    r"|transfer closed|too slow|unexpected disconnect|unexpected EOF|Connection closed by"
    r"|expected flush after|still expected|bad line length|invalid server response|invalid ls-refs response"
)


class ForcePushRefused(GitError):
    """The remote takes no push that replaces commits of a branch."""


def is_transient(said: str) -> bool:
    """Whether this was a trouble of the network or the server that often is over a moment later.

    A refusal has words: a git that failed without any had its answer cut.
    """
    return (_TROUBLE.search(said) is not None or not last_lines(said)) and not lacks_shallow(said)


def lacks_shallow(said: str) -> bool:
    """Whether the server can send a branch only with all of its history."""
    return _NO_SHALLOW.search(said) is not None


def fetch_error(url: RepoUrl, said: str, *, credentials: GitCredentials | None, branch: str = "") -> GitError:
    """The error for a repository that could not be read."""
    advice, quoted = credentials.advice if credentials else "", last_lines(said)
    said = _without_names(said, url, branch)
    if _NO_BRANCH.search(said):
        return GitError(f"The branch {branch} is not in {url}", hint="Name the branch with --base.")
    if _SIGN_IN.search(said):
        if credentials:
            usual = "Check that it is for this host, still valid, and allowed to read the repository."
            return GitError(f"{url} refuses the token", hint=advice or usual)
        return GitError(
            f"{url} requires authentication",
            hint="Set GITOPS_CI_TOKEN to a token that may read and write this repository.",
        )
    if key := _key_error(url, said):
        return key
    if _HOST.search(said):
        return GitError(
            f"Cannot resolve host {url.host}", hint="Check --config-repo for a typo, and the network's DNS."
        )
    if _UNTRUSTED.search(said):
        return GitError(
            f"The certificate of {url.netloc} is not trusted: {quoted}",
            hint="For a private certificate authority set SSL_CERT_FILE to its certificate file: git and the code "
            "host's API both use it.",
        )
    if "not valid: is this a git repository" in said:
        return no_git_there(url)
    if _DOWN.search(said):
        hint = "Check the address, and whether the host is up."
        return GitError(f"{url.netloc or url} does not answer: {_UNABLE.sub('', quoted)}", hint=hint)
    if _OWNER.search(said):
        return GitError(
            f"{url} belongs to another user", hint="Git refuses folders of other users: run as the folder's owner."
        )
    if _REDIRECT.search(said):
        return GitError(
            f"{url} redirects elsewhere",
            hint="Give the new address in --config-repo: gitops-ci sends no token to the target of a redirect.",
        )
    if _MISSING.search(said) and url.scheme == "file":
        return GitError(
            f"There is no repository at {url}",
            hint="The address was read as the path of a folder. Write https://HOST/OWNER/NAME or git@HOST:OWNER/NAME.",
        )
    if _MISSING.search(said):
        hint = "Check --config-repo. Code hosts also say so when the token may not see a private repository."
        return GitError(f"There is no repository at {url}", hint=f"{hint} {advice}".rstrip())
    if _DENIED.search(said):
        return GitError(
            f"{url} refuses access: {quoted}",
            hint=advice or "Give the token (or the ssh key) access to this repository.",
        )
    if invalid := _FSCK.search(said):
        return GitError(
            f"{url} contains an object that git-fsck(1) refuses: {invalid[1]}",
            hint="Commit the named object again. gitops-ci accepts no objects that break git's rules.",
        )
    return GitError(f"{url} cannot be read: {quoted}", hint=ASK_GIT)


def _key_error(url: RepoUrl, said: str) -> GitError | None:
    """The error for an ssh host whose key is unknown or another one."""
    if _CHANGED_KEY.search(said):
        return GitError(
            f"The key of {url.netloc} is not the one in known_hosts",
            hint="Somebody may be intercepting the connection. Replace the entry in known_hosts only after you "
            "compared the new key with the fingerprints that the host's owner publishes.",
        )
    if _UNKNOWN_KEY.search(said):
        port = f"-p {url.port} " if url.port else ""
        return GitError(
            f"The key of {url.netloc} is not in known_hosts",
            hint=f"Check it with the host's owner and add it: ssh-keyscan {port}{url.host} >> ~/.ssh/known_hosts",
        )
    return None


def no_git_there(url: RepoUrl) -> GitError:
    """The error for an address where something answers, and no Git server."""
    return GitError(
        f"{url} is not answered by a Git server, but perhaps by a sign-in page or a proxy",
        hint="Open the address in a browser. Set GITOPS_CI_TOKEN, correct --config-repo, or bypass the proxy "
        "with NO_PROXY.",
    )


def push_error(url: RepoUrl, branch: str, said: str, *, credentials: GitCredentials | None) -> GitError | None:
    """The error for a push that was refused for good, None when another try may succeed."""
    reason, in_the_way = _reason(said), _IN_THE_WAY.search(said)
    if in_the_way:
        return GitError(
            f"{url} has a branch {in_the_way[1]}, so there can be no branch {branch}",
            hint="Rename or delete that branch.",
        )
    said = _without_names(said, url, branch)
    if hint := next((hint for words, hint in _GERRIT if words in said), ""):
        return GitError(f"{url} refused the push to {branch}: {reason}", hint=hint)
    if _NO_FORCE.search(said):
        return ForcePushRefused(
            f"{url} refuses force pushes to {branch}: {reason}",
            hint="A newer image replaces the commit on this branch. Allow force pushes to gitops-ci/**, or merge or "
            "close its pull request and delete the branch.",
        )
    if _UNSIGNED.search(said):
        return GitError(
            f"{url} accepts only signed commits on {branch}: {reason}",
            hint="Sign them with --sign and --signing-key, or with --commit-with api (GitHub).",
        )
    if _PROTECTED.search(said):
        is_head = branch.startswith("gitops-ci/")
        instead = (
            "Let this token push to gitops-ci/**." if is_head else "Use --mode pull-request, or let this token push."
        )
        return GitError(f"{branch} of {url} is protected: {reason}", hint=instead)
    if "denyCurrentBranch" in said or "checked out" in said:
        return GitError(
            f"{branch} is checked out in {url}", hint="Push to a bare repository, or use --mode pull-request."
        )
    if re.search(r"hook declined|pre-receive|declined", said):
        return GitError(f"A hook of {url} refused the push to {branch}: {reason}", hint=_hook_hint(reason))
    if "does not support push options" in said:
        return GitError(f"{url} accepts no push options", hint="Use a token that may open pull requests by the API.")
    if _BUSY.search(said) or is_transient(said):
        return None
    if _SIGN_IN.search(said) or _DENIED.search(said):
        usual = "It needs write access to the repository's contents."
        return GitError(
            f"The token may not push to {url}: {reason}", hint=(credentials.advice if credentials else "") or usual
        )
    if "rejected]" not in said:
        return fetch_error(url, said, credentials=credentials)
    return GitError(f"{url} refused the push to {branch}: {reason}", hint=ASK_GIT)


def _hook_hint(reason: str) -> str:
    """Which option a rule for commits is about (docs.gitlab.com/user/project/repository/push_rules)."""
    said = reason.casefold()
    if re.search(r"(?:committer|author)\b.*(?:not follow|not a member|unverified|not verified|different)", said):
        return "Name somebody whom the rule allows with --author and --committer."
    if "message" in said and "not follow" in said:
        return "Give the commit a message that fits the rule with --title."
    if "branch" in said and ("not follow" in said or "pattern" in said):
        return "Allow branches gitops-ci/** in the rule for branch names."
    return "The hook's message says why."


def _without_names(said: str, url: RepoUrl, branch: str) -> str:
    """A message without address and branch: their names (`protected-apps`, port 40123) are not words of the server."""
    for name in filter(None, (url.text.removesuffix("/"), url.netloc, f"refs/heads/{branch}" if branch else "")):
        said = said.replace(name, "…")
    return said


def _reason(said: str) -> str:
    remote = [line.removeprefix("remote:").strip() for line in said.splitlines() if line.startswith("remote:")]
    rejected = re.findall(r"\[remote rejected\] \((.*?)\)", said)
    text = " / ".join([line for line in remote if line][-3:] + rejected)
    return text or last_lines(said)
