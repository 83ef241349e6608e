"""The config repository: read, commit and push without a checkout. The one importer of GitPython."""

from gitops_ci.configrepo.commits import Identity, Signing
from gitops_ci.configrepo.create import create_repository
from gitops_ci.configrepo.git import GitCredentials, check_branch, check_path
from gitops_ci.configrepo.git_errors import ForcePushRefused
from gitops_ci.configrepo.log import BlobChange, BranchLog, LogEntry
from gitops_ci.configrepo.objects import Selection
from gitops_ci.configrepo.repository import ConfigRepo, Pushed, RemoteRefs
from gitops_ci.configrepo.snapshot import Snapshot

__all__ = [
    "BlobChange",
    "BranchLog",
    "ConfigRepo",
    "ForcePushRefused",
    "GitCredentials",
    "Identity",
    "LogEntry",
    "Pushed",
    "RemoteRefs",
    "Selection",
    "Signing",
    "Snapshot",
    "check_branch",
    "check_path",
    "create_repository",
]
