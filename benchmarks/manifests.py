"""The corpus of the validation benchmark: 10,000 sound documents of 16 kinds in 2,000 files, written as people do.

python benchmarks/manifests.py FOLDER [FILES]
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path

PER_FILE = 5
COMMENT = "# owned by team {team}; see the runbook before touching this\n"


def labels(name: str, indent: int) -> str:
    pad = " " * indent
    return f"{pad}app.kubernetes.io/name: {name}\n{pad}app.kubernetes.io/part-of: shop\n"


def head(api: str, kind: str, name: str, namespace: str | None) -> str:
    where = f"  namespace: {namespace}\n" if namespace else ""
    return f"apiVersion: {api}\nkind: {kind}\nmetadata:\n  name: {name}\n{where}  labels:\n{labels(name, 4)}"


def container(rng: random.Random, name: str, indent: int) -> str:
    text = f"""\
- name: {name}
  image: ghcr.io/acme/{name}:{rng.randint(1, 9)}.{rng.randint(0, 30)}.{rng.randint(0, 9)}
  imagePullPolicy: IfNotPresent
  ports:
    - name: http
      containerPort: {rng.choice([8080, 9090, 3000])}
      protocol: TCP
  env:
    - name: LOG_LEVEL
      value: {rng.choice(["info", "debug", "warn"])}
    - name: WORKERS
      value: "{rng.randint(1, 16)}"
    - name: DATABASE_URL
      valueFrom:
        secretKeyRef:
          name: {name}-db
          key: url
    - name: POD_NAME
      valueFrom:
        fieldRef:
          fieldPath: metadata.name
  resources:
    requests:
      cpu: {rng.choice([50, 100, 250])}m
      memory: {rng.choice([64, 128, 256])}Mi
    limits:
      cpu: "1"
      memory: 512Mi
  livenessProbe:
    httpGet:
      path: /healthz
      port: http
    initialDelaySeconds: {rng.randint(1, 20)}
  readinessProbe:
    httpGet:
      path: /readyz
      port: http
  securityContext:
    runAsNonRoot: true
    allowPrivilegeEscalation: false
    capabilities:
      drop: ["ALL"]
  volumeMounts:
    - name: config
      mountPath: /etc/{name}
      readOnly: true
"""
    return "".join(" " * indent + line + "\n" for line in text.splitlines())


def template(rng: random.Random, name: str, indent: int, restart: str = "") -> str:
    pad = " " * indent
    policy = f"{pad}  restartPolicy: {restart}\n" if restart else ""
    return (
        f"{pad}metadata:\n{pad}  labels:\n{labels(name, indent + 4)}{pad}spec:\n{policy}"
        f"{pad}  serviceAccountName: {name}\n{pad}  containers:\n{container(rng, name, indent + 4)}"
        f"{pad}  volumes:\n{pad}    - name: config\n{pad}      configMap:\n{pad}        name: {name}\n"
    )


def selector(name: str) -> str:
    return f"  selector:\n    matchLabels:\n{labels(name, 6)}"


def workload(api: str, kind: str, extra: str = "") -> Callable[[random.Random, str], str]:
    def make(rng: random.Random, name: str) -> str:
        return f"{head(api, kind, name, 'shop')}spec:\n{extra}{selector(name)}  template:\n{template(rng, name, 4)}"

    return make


def job(rng: random.Random, name: str) -> str:
    return f"{head('batch/v1', 'Job', name, 'shop')}spec:\n  template:\n{template(rng, name, 4, 'Never')}"


def cron_job(rng: random.Random, name: str) -> str:
    schedule = f"{rng.randint(0, 59)} {rng.randint(0, 23)} * * *"
    body = (
        f"  schedule: '{schedule}'\n  jobTemplate:\n    spec:\n      template:\n{template(rng, name, 8, 'OnFailure')}"
    )
    return f"{head('batch/v1', 'CronJob', name, 'shop')}spec:\n{body}"


def service(rng: random.Random, name: str) -> str:
    ports = f"    - name: http\n      port: {rng.choice([80, 8080])}\n      targetPort: http\n"
    return f"{head('v1', 'Service', name, 'shop')}spec:\n  selector:\n{labels(name, 4)}  ports:\n{ports}"


def config_map(rng: random.Random, name: str) -> str:
    lines = "".join(f"    setting.{n} = {rng.randint(0, 10**6)} and some words of it\n" for n in range(12))
    return f"{head('v1', 'ConfigMap', name, 'shop')}data:\n  LOG_LEVEL: info\n  app.conf: |\n{lines}"


def secret(rng: random.Random, name: str) -> str:
    return f"{head('v1', 'Secret', name, 'shop')}type: Opaque\ndata:\n  token: {'YWJj' * rng.randint(2, 9)}\n"


def ingress(rng: random.Random, name: str) -> str:
    del rng
    return (
        f"{head('networking.k8s.io/v1', 'Ingress', name, 'shop')}spec:\n  ingressClassName: nginx\n  rules:\n"
        f"    - host: {name}.example.com\n      http:\n        paths:\n"
        f"          - path: /\n            pathType: Prefix\n            backend:\n"
        f"              service:\n                name: {name}\n                port:\n                  number: 80\n"
    )


def network_policy(rng: random.Random, name: str) -> str:
    del rng
    return (
        f"{head('networking.k8s.io/v1', 'NetworkPolicy', name, 'shop')}spec:\n  podSelector:\n    matchLabels:\n"
        f"{labels(name, 6)}  policyTypes: [Ingress]\n  ingress:\n    - from:\n        - namespaceSelector: {{}}\n"
        f"      ports:\n        - protocol: TCP\n          port: 8080\n"
    )


def autoscaler(rng: random.Random, name: str) -> str:
    return (
        f"{head('autoscaling/v2', 'HorizontalPodAutoscaler', name, 'shop')}spec:\n  scaleTargetRef:\n"
        f"    apiVersion: apps/v1\n    kind: Deployment\n    name: {name}\n  minReplicas: 2\n"
        f"  maxReplicas: {rng.randint(3, 20)}\n  metrics:\n    - type: Resource\n      resource:\n        name: cpu\n"
        f"        target:\n          type: Utilization\n          averageUtilization: 80\n"
    )


def budget(rng: random.Random, name: str) -> str:
    del rng
    return f"{head('policy/v1', 'PodDisruptionBudget', name, 'shop')}spec:\n  minAvailable: 1\n{selector(name)}"


def role(rng: random.Random, name: str) -> str:
    del rng
    rules = "rules:\n  - apiGroups: ['']\n    resources: [configmaps, secrets]\n    verbs: [get, list, watch]\n"
    return head("rbac.authorization.k8s.io/v1", "Role", name, "shop") + rules


def binding(rng: random.Random, name: str) -> str:
    del rng
    return (
        f"{head('rbac.authorization.k8s.io/v1', 'RoleBinding', name, 'shop')}roleRef:\n"
        f"  apiGroup: rbac.authorization.k8s.io\n  kind: Role\n  name: {name}\nsubjects:\n"
        f"  - kind: ServiceAccount\n    name: {name}\n    namespace: shop\n"
    )


def account(rng: random.Random, name: str) -> str:
    del rng
    return head("v1", "ServiceAccount", name, "shop")


def claim(rng: random.Random, name: str) -> str:
    size = rng.choice([1, 5, 10])
    return (
        f"{head('v1', 'PersistentVolumeClaim', name, 'shop')}spec:\n  accessModes: [ReadWriteOnce]\n"
        f"  resources:\n    requests:\n      storage: {size}Gi\n"
    )


KINDS: tuple[Callable[[random.Random, str], str], ...] = (
    workload("apps/v1", "Deployment", "  replicas: 3\n"),
    service,
    config_map,
    account,
    workload("apps/v1", "StatefulSet", "  serviceName: db\n"),
    secret,
    ingress,
    autoscaler,
    workload("apps/v1", "DaemonSet"),
    budget,
    network_policy,
    job,
    role,
    binding,
    cron_job,
    claim,
)


def write(folder: Path, files: int) -> int:
    """Write the corpus and return its bytes; the same call writes the same bytes."""
    rng = random.Random(20261121)
    total = number = 0
    for index in range(files):
        documents = []
        for _ in range(PER_FILE):
            name = f"svc-{number:05d}"
            documents.append(KINDS[number % len(KINDS)](rng, name))
            number += 1
        text = COMMENT.format(team=index % 17) + "---\n".join(documents)
        path = folder / f"team-{index % 50:02d}" / f"app-{index:04d}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        total += len(text)
    return total


def write_apps(folder: Path, manifests: int) -> int:
    """A repository of apps, each a folder of 16 files with a manifest each, and return its bytes."""
    rng = random.Random(20261121)
    total = 0
    for number in range(manifests):
        app = number // len(KINDS)
        text = KINDS[number % len(KINDS)](rng, f"svc-{number:06d}")
        path = folder / f"team-{app % 50:02d}" / f"app-{app:05d}" / f"{number % len(KINDS):02d}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        total += len(text)
    return total


if __name__ == "__main__":
    print(write(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 2000))
