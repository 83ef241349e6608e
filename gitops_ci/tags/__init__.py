"""Tags: which of two is older, and which ones a build gets. Pure; the one room of semver.

A *released* tag (`1.4.2`, `2.0.0-rc.1`) names one image for ever. A *floating* tag (`latest`, `1`, `1.4`, a branch)
names the newest of something and moves. A *build* tag (`main-3fa9c1e`) names the commit an image was built from.
"""

from gitops_ci.tags.choices import BuildFacts, TagChoice
from gitops_ci.tags.git_tags import GitTagRule
from gitops_ci.tags.order import Kind, kind_of, older
from gitops_ci.tags.schemes import version_of_tag
from gitops_ci.tags.strategies import STRATEGIES, check_strategies, choose, slug, uses_version, version_of

__all__ = [
    "STRATEGIES",
    "BuildFacts",
    "GitTagRule",
    "Kind",
    "TagChoice",
    "check_strategies",
    "choose",
    "kind_of",
    "older",
    "slug",
    "uses_version",
    "version_of",
    "version_of_tag",
]
