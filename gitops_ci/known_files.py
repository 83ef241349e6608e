"""The names by which tools find their files: one place for each, since several rooms look for them."""

from __future__ import annotations

__all__ = ["CHART", "CONFIG", "FLEET", "KPTFILE", "KUSTOMIZATIONS", "OWN_FOLDER"]

CONFIG = ".gitops-ci.yaml"
# Holds and freezes lie here; nothing in it is a manifest.
OWN_FOLDER = ".gitops-ci/"
# In the order in which kustomize looks for them. Source: kustomize api/konfig, RecognizedKustomizationFileNames.
KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
# Source: kpt.dev/reference/schema/kptfile.
KPTFILE = "Kptfile"
# Source: helm.sh/docs/topics/charts, "The Chart.yaml File".
CHART = "Chart.yaml"
# Source: fleet.rancher.io/ref-fleet-yaml.
FLEET = ("fleet.yaml", "fleet.yml")
