#!/bin/sh
# Anywhere else: Python 3.11 or newer, git, and the image that was just built. GITOPS_CI_TOKEN holds the token for the
# config repository; `docker login` has been done, or GITOPS_CI_REGISTRY_USER and GITOPS_CI_REGISTRY_PASSWORD are set.
set -eu

home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home"
"$home/bin/pip" install --quiet gitops-ci==@VERSION@

"$home/bin/gitops-ci" release @BUILD@ \
#if inline
  --to @IMAGE@ \
  --config-repo @CONFIG_REPO@ \
#end
#if inline environment
  --environment @ENVIRONMENT@ \
#end
  --version "$(git describe --tags --exact-match)"
