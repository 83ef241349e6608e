#!/bin/sh
# Releases the image that was just built. It needs Python 3.11 or newer, and git. Set GITOPS_CI_TOKEN to the token of the
# config repository. Run `docker login` first, or set GITOPS_CI_REGISTRY_USER and GITOPS_CI_REGISTRY_PASSWORD.
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
