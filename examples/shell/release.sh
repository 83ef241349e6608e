#!/bin/sh
# Anywhere else: Python 3.11 or newer, git, and the image that was just built. GITOPS_CI_TOKEN holds the token for the
# config repository; `docker login` has been done, or GITOPS_CI_REGISTRY_USER and GITOPS_CI_REGISTRY_PASSWORD are set.
set -eu

home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home"
"$home/bin/pip" install --quiet gitops-ci==0.2.0

"$home/bin/gitops-ci" release shop:build \
  --to ghcr.io/acme/shop \
  --config-repo https://github.com/acme/shop-config \
  --environment staging \
  --version "$(git describe --tags --exact-match)"
