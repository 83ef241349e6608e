#!/bin/sh
# Releases the image that was just built. It needs Python 3.11 or newer, and git. Set GITOPS_CI_TOKEN to the token of the
# config repository. Run `docker login` first, or set GITOPS_CI_REGISTRY_USER and GITOPS_CI_REGISTRY_PASSWORD.
set -eu

#if several
tag=$(git describe --tags --exact-match --match '@PREFIX@v*')
#end
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home"
"$home/bin/pip" install --quiet gitops-ci==@VERSION@

"$home/bin/gitops-ci" release @BUILD@ \
#if several
  --to @IMAGE@ \
#end
#if inline
  --to @IMAGE@ \
  --config-repo @CONFIG_REPO@ \
#end
#if inline environment
  --environment @ENVIRONMENT@ \
#end
#if one
  --version "$(git describe --tags --exact-match)"
#end
#if several
  --version "${tag#@PREFIX@}"
#end
