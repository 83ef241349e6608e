"""The check of one bump in a Flux repository: CPU of this program beside that of the programs that render.

    python benchmarks/gate.py [RUNS] [--break]

20 teams with a base of 25 objects and an overlay for each of 3 clusters: an image in 60 places, 67 units (60 Flux
Kustomizations, one of each cluster that makes them, and four of the infrastructure), about 1,700 files. With --break
every object has an error already, so that both sides of the edit are judged.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from timing import measure

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.git_repo import make_repo

TEAMS, CLUSTERS, OBJECTS = 20, ("dev", "stage", "prod"), 25
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  labels: {{team: {team}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
        - name: main
          image: {image}
          ports: [{{containerPort: 8080, name: http}}]
          resources: {{requests: {{cpu: 100m, memory: 128Mi}}, limits: {{memory: 256Mi}}}}
          readinessProbe: {{httpGet: {{path: /ready, port: http}}}}
          env: [{{name: CLUSTER, value: "${{cluster}}"}}, {{name: TEAM, value: {team}}}]
"""
KUSTOMIZATION = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: {name}, namespace: flux-system}}
spec:
  interval: 10m
  prune: true
  path: ./{path}
  sourceRef: {{kind: GitRepository, name: flux-system}}
  postBuild: {{substitute: {{cluster: {cluster}}}}}
"""


def files(*, broken: bool) -> dict[str, str]:
    """The repository; `broken` objects have a number of replicas that is none."""
    found = {}
    replicas = '"two"' if broken else "2"
    for team in (f"team-{n}" for n in range(TEAMS)):
        names = [f"{team}-app-{n}" for n in range(OBJECTS)]
        for n, name in enumerate(names):
            image = "ghcr.io/acme/shop" if n == 0 else f"ghcr.io/acme/{name}:1.0.{n}"
            found[f"apps/{team}/base/{name}.yaml"] = DEPLOYMENT.format(
                name=name, team=team, image=image, replicas=replicas
            )
        listed = ", ".join(f"{name}.yaml" for name in names)
        found[f"apps/{team}/base/kustomization.yaml"] = f"resources: [{listed}]\n"
        for cluster in CLUSTERS:
            overlay = f"resources: [../base]\nnamespace: {team}\nimages: [{{name: ghcr.io/acme/shop, newTag: 1.4.1}}]\n"
            found[f"apps/{team}/{cluster}/kustomization.yaml"] = overlay
            for n in range(15):
                found[f"apps/{team}/{cluster}/config/{n}.properties"] = f"n={n}\n"
    for cluster in CLUSTERS:
        for team in (f"team-{n}" for n in range(TEAMS)):
            found[f"clusters/{cluster}/{team}.yaml"] = KUSTOMIZATION.format(
                name=team, path=f"apps/{team}/{cluster}", cluster=cluster
            )
        root = KUSTOMIZATION.format(name="flux-system", path=f"clusters/{cluster}", cluster=cluster)
        found[f"clusters/{cluster}/flux-system.yaml"] = root
    for n in range(4):
        folder = f"infrastructure/part-{n}"
        found[f"clusters/dev/infra-{n}.yaml"] = KUSTOMIZATION.format(name=f"infra-{n}", path=folder, cluster="dev")
        found[f"{folder}/d.yaml"] = DEPLOYMENT.format(
            name=f"infra-{n}", team="infra", image="ghcr.io/acme/infra:1", replicas=replicas
        )
    return found


def renderers(folder: Path) -> float:
    """CPU seconds of kubectl for all overlays, each built once."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for overlay in sorted(folder.glob("apps/*/*/kustomization.yaml")):
        if overlay.parent.name != "base":
            subprocess.run(["kubectl", "kustomize", str(overlay.parent)], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(runs: int, *, broken: bool) -> None:
    program = str(Path(sys.executable).with_name("gitops-ci"))
    with tempfile.TemporaryDirectory() as made:
        everything = files(broken=broken)
        repo = make_repo(Path(made, "config.git"), everything)
        checkout = Path(made, "checkout")
        subprocess.run(["git", "clone", "-q", str(repo.path), str(checkout)], check=True)
        command = [program, "bump", "ghcr.io/acme/shop:1.5.0", "--config-repo", str(repo.path), "--mode", "dry-run"]
        same = [*command[:2], "ghcr.io/acme/shop:1.4.1", *command[3:]]
        rows = []
        for run in range(runs + 1):
            started = time.monotonic()
            kubectl = renderers(checkout)
            (_, nothing), (wall, cpu) = measure(same), measure(command)
            if run:
                rows.append((kubectl, nothing, cpu, wall))
            print(f"run {run}: {time.monotonic() - started:.0f} s", file=sys.stderr)
    kubectl, nothing, cpu, wall = (statistics.median(column) for column in zip(*rows, strict=True))
    print(f"{len(everything)} files; kubectl for {TEAMS * len(CLUSTERS)} overlays: {kubectl:.1f} CPU s")
    print(f"bump that finds nothing to change: {nothing:.1f} CPU s; bump with its check: {cpu:.1f} CPU s, {wall:.1f} s")
    print(f"check, renderers included: {(cpu - nothing) / kubectl:.2f} of kubectl's CPU")


if __name__ == "__main__":
    numbers = [int(one) for one in sys.argv[1:] if one.isdigit()]
    main(numbers[0] if numbers else 3, broken="--break" in sys.argv)
