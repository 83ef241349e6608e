"""`gitops-ci bump` from the command line: places that belong to each other across files."""

import subprocess

import pytest

from gitops_ci.formats import ManifestText
from gitops_ci.plan import chart_locks
from tests.support.git_repo import make_repo
from tests.support.kubetools import kubernetes_tool
from tests.support.overlays import OVERLAYS, overlay_path

DEPENDENCY = """\
  - name: {name}
    repository: {repository}
    version: {version}
    condition: {name}.enabled
    tags: [web, "a&b"]
    alias: my-{name}
    import-values:
      - common
      - child: default.data
        parent: data
"""
PARENT = "apiVersion: v2\nname: parent\nversion: 0.1.0\ndependencies:\n"
RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web}
spec:
  interval: 5m
  chart:
    spec: {chart: shop, version: 1.4.0, sourceRef: {kind: HelmRepository, name: acme}}
"""
HELM_REPOSITORY = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: acme}
spec: {type: oci, url: "oci://ghcr.io/acme/charts"}
"""
PATCH = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web}
spec: {chart: {spec: {version: 1.3.0}}}
"""


@pytest.fixture
def bump(run, tmp_path):
    """Bump an image in some files and return what the program printed, and the files that changed."""

    def call(files, *arguments):
        repo = make_repo(tmp_path / "config.git", files)
        ran = run("bump", *arguments, "--config-repo", repo.path, "--mode", "push", "--forge", "git")
        now = {path: data.decode() for path, data in repo.files().items()}
        return ran, {path: text for path, text in now.items() if text != files[path]}

    return call


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    """A chart with two dependencies and the lock that Helm itself writes for it."""
    folder = tmp_path_factory.mktemp("charts")
    for name in ("shop", "cart"):
        (folder / name).mkdir()
        (folder / name / "Chart.yaml").write_text(f"apiVersion: v2\nname: {name}\nversion: 1.4.0\n")
    parent = folder / "parent"
    parent.mkdir()
    shop = DEPENDENCY.format(name="shop", repository="file://../shop", version="1.4.0")
    cart = DEPENDENCY.format(name="cart", repository="file://../cart", version='">=1.0.0 <2"')
    (parent / "Chart.yaml").write_text(PARENT + shop + cart)
    subprocess.run([kubernetes_tool("helm"), "dependency", "update", str(parent)], check=True, capture_output=True)
    return {name: (parent / name).read_text() for name in ("Chart.yaml", "Chart.lock")}


def test_the_digest_of_a_lock_is_the_one_that_helm_writes(locked):
    wanted, found = (chart_locks.dependencies(ManifestText(name, text)) for name, text in locked.items())
    assert f"digest: {chart_locks.digest(wanted, found)}\n" in locked["Chart.lock"]


def test_a_lock_changes_with_its_chart(bump, locked):
    wanted, found = (chart_locks.dependencies(ManifestText(name, text)) for name, text in locked.items())
    for one in (wanted[0], found[0]):
        one["repository"] = "oci://ghcr.io/acme/charts"
    files = {
        "web/Chart.yaml": locked["Chart.yaml"].replace("file://../shop", "oci://ghcr.io/acme/charts"),
        "web/Chart.lock": "dependencies:\n"
        + "".join(f"- name: {d['name']}\n  repository: {d['repository']}\n  version: {d['version']}\n" for d in found)
        + f'digest: {chart_locks.digest(wanted, found)}\ngenerated: "2026-01-01T00:00:00Z"\n',
        "web/charts/shop-1.4.0.tgz": "an archive",
    }
    ran, changed = bump(files, "chart:oci://ghcr.io/acme/charts/shop:1.5.0+b2")
    assert ran.code == 0, ran.err
    assert changed["web/Chart.yaml"] == files["web/Chart.yaml"].replace("version: 1.4.0", "version: 1.5.0+b2")
    (digest,) = [line for line in changed["web/Chart.lock"].splitlines() if line.startswith("digest")]
    then = files["web/Chart.lock"].replace("version: 1.4.0", "version: 1.5.0+b2", 1)
    assert changed["web/Chart.lock"] == "".join(
        f"{digest}\n" if line.startswith("digest") else line for line in then.splitlines(keepends=True)
    )
    assert "web/charts/shop-1.4.0.tgz" in ran.out
    again = [
        chart_locks.dependencies(ManifestText(path, changed[f"web/{path}"])) for path in ("Chart.yaml", "Chart.lock")
    ]
    assert digest == f"digest: {chart_locks.digest(*again)}"


def test_a_release_and_the_overlay_of_its_version_are_found_by_their_repository(bump):
    files = {
        "base/release.yaml": RELEASE,
        "base/kustomization.yaml": "resources: [release.yaml]\n",
        "sources/acme.yaml": HELM_REPOSITORY,
        "production/kustomization.yaml": "resources: [../base]\npatches: [{path: p.yaml}]\n",
        "production/p.yaml": PATCH,
    }
    ran, changed = bump(files, "chart:oci://ghcr.io/acme/charts/shop:1.5.0")
    assert ran.code == 0, ran.err
    assert changed == {
        "base/release.yaml": RELEASE.replace("1.4.0", "1.5.0"),
        "production/p.yaml": PATCH.replace("1.3.0", "1.5.0"),
    }


def test_a_range_alone_is_no_success(bump):
    files = {"c/fleet.yaml": "helm: {chart: 'oci://ghcr.io/acme/charts/shop', version: 1.x}\n"}
    ran, changed = bump(files, "chart:oci://ghcr.io/acme/charts/shop:1.5.0")
    assert (ran.code, changed) == (1, {})
    assert "its version is '1.x'" in ran.out


@pytest.mark.parametrize("text", ["chart:https://acme.example/charts/shop:1.5.0", "chart:shop:1.5.0"])
def test_a_chart_outside_of_registries_is_refused(run, text):
    ran = run("bump", text, "--config-repo", ".")
    assert ran.code == 2
    assert "chart:oci://" in ran.err


RULES = "pointers: [{file: 'tags/{environment}/{name}', at: '$.image_tag', image: 'ghcr.io/acme/{name}'}]\n"


@pytest.mark.parametrize("by", ["repository", "application"])
def test_files_whose_name_is_the_image_are_bumped_by_a_rule_of_either_settings(bump, tmp_path, by):
    files = {
        "tags/production/shop": "image_tag: v1694 # ours\n",
        "tags/staging/shop": "image_tag: v1695\n",
        "tags/staging/cart": "image_tag: v1694\n",
        "README.md": "What runs where.\n",
    }
    if by == "repository":
        files[".gitops-ci.yaml"] = RULES
    else:
        (tmp_path / ".gitops-ci.yaml").write_text(RULES)
    ran, changed = bump(files, "ghcr.io/acme/shop:v1700", "--environment", "production")
    assert ran.code == 0, ran.err
    assert changed == {"tags/production/shop": "image_tag: v1700 # ours\n"}
    ran, changed = bump(files, "ghcr.io/acme/shop:v1700", "--allow-downgrade")
    assert changed == {"tags/production/shop": "image_tag: v1700 # ours\n", "tags/staging/shop": "image_tag: v1700\n"}


def test_a_wrong_rule_of_the_repository_is_an_error_with_its_line(bump):
    files = {
        "a.yaml": "image: ghcr.io/acme/shop:1\n",
        ".gitops-ci.yaml": "mode: push\npointers: [{file: a, at: $.b}]\n",
    }
    ran, changed = bump(files, "ghcr.io/acme/shop:2")
    assert (ran.code, changed) == (2, {})
    assert ".gitops-ci.yaml:2:12: a pointer has no image" in ran.out


@pytest.mark.parametrize("layout", OVERLAYS)
def test_a_selection_decides_what_is_edited_and_not_what_is_understood(bump, layout):
    files = OVERLAYS[layout]
    ran, changed = bump(files, "ghcr.io/acme/shop:1.5.0", "--path", "envs/prod/**")
    path = overlay_path(layout, "prod")
    assert (ran.code, changed) == (0, {path: files[path].replace("1.4.1", "1.5.0")}), ran.err


def test_a_large_repository_is_read_where_the_selection_is_built_from(run, git_server, monkeypatch):
    for module in ("search", "gate"):
        monkeypatch.setattr(f"gitops_ci.flows.bump.{module}.MOST", 5)
    files = OVERLAYS["replacements"]
    repo = git_server.make_repo("acme/large", {**files, **{f"other/{n}.yaml": f"{n}: 1\n" for n in range(9)}})
    ran = run(
        "bump", "ghcr.io/acme/shop:1.5.0", "--path", "envs/prod", "--mode", "push", "--forge", "git",
        "--config-repo", git_server.url_of("acme/large"), environment={"GITOPS_CI_TOKEN": git_server.token},
    )  # fmt: skip
    path = overlay_path("replacements", "prod")
    now = {path: data.decode() for path, data in repo.files().items()}
    assert (ran.code, now[path]) == (0, files[path].replace("1.4.1", "1.5.0")), ran.err
