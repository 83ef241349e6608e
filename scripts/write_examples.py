"""Write examples/ as `gitops-ci init` would write it with the settings in the workflow: one text, two uses."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from gitops_ci import __version__  # noqa: E402
from gitops_ci.flows.init import InitRequest, System, starter_files  # noqa: E402
from gitops_ci.flows.init.survey import Survey  # noqa: E402
from gitops_ci.imageref import ImageRef  # noqa: E402
from gitops_ci.project import REPOSITORY  # noqa: E402
from gitops_ci.repourl import RepoUrl  # noqa: E402

# No release has this id: what is to be copied shows where the id of the release's commit belongs.
ACTION = f"{REPOSITORY}@0123456789abcdef0123456789abcdef01234567 # v{__version__}: the commit of the release"
_APPLICATION = Survey(dockerfiles=("Dockerfile",))
_MANIFESTS = Survey(kinds={"kustomize": 1}, folders=("apps",))
# system, what the repository holds -> name of the example
_NAMES: dict[tuple[System, str], str] = {
    ("github", "application"): "github/release.yml",
    ("github", "manifests"): "github/pre-merge.yml",
    ("gitlab", "application"): "gitlab/release.gitlab-ci.yml",
    ("gitlab", "manifests"): "gitlab/pre-merge.gitlab-ci.yml",
    ("jenkins", "application"): "jenkins/Jenkinsfile",
    ("tekton", "application"): "tekton/task.yaml",
    ("shell", "application"): "shell/release.sh",
}


def examples() -> dict[str, str]:
    """Every example that `init` can write, by its path below examples/."""
    found = {}
    for (system, what), name in _NAMES.items():
        request = InitRequest(
            system=system,
            image=None if system == "gitlab" else ImageRef.parse("ghcr.io/acme/shop"),
            config_repo=RepoUrl.parse(f"https://{'gitlab' if system == 'gitlab' else 'github'}.com/acme/shop-config"),
            environment="staging",
            address=ACTION if system == "github" else "",
            inline=True,
        )
        [found[name]] = starter_files(request, _APPLICATION if what == "application" else _MANIFESTS).values()
    return found


if __name__ == "__main__":
    for name, text in examples().items():
        (ROOT / "examples" / name).write_text(text)
