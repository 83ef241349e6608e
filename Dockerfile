# gitops-ci with the programs that it starts: git, kustomize and helm, and the libraries for CEL rules. It runs as an
# ordinary user.
#
#   $ docker build --tag gitops-ci .
#   $ docker run --rm --volume "$PWD:/work" gitops-ci validate
#
# BASE is an image with Python 3.11 or newer and apt. KUSTOMIZE and HELM are images that contain one static program each.
ARG BASE=python:3.13-slim-bookworm
ARG KUSTOMIZE=registry.k8s.io/kustomize/kustomize:v5.7.1
ARG HELM=alpine/helm:3.19.0

FROM ${KUSTOMIZE} AS kustomize
FROM ${HELM} AS helm

FROM ${BASE} AS packages
WORKDIR /source
COPY gitops_ci/requirements.txt gitops_ci/requirements-cel.txt requirements-dev.txt scripts/locked_part.py ./
# All packages come from the lock files, with their hashes. Only wheels: nothing of a package runs at build time.
RUN python3 -I locked_part.py requirements-dev.txt flit-core >build.txt \
 && python3 -I -m venv /opt/gitops-ci \
 && /opt/gitops-ci/bin/python -I -m pip install --quiet --no-cache-dir --no-deps --require-hashes --only-binary=:all: \
      --requirement requirements.txt --requirement requirements-cel.txt --requirement build.txt
COPY pyproject.toml README.md LICENSE ./
COPY gitops_ci gitops_ci
RUN /opt/gitops-ci/bin/python -I -m pip install --quiet --no-cache-dir --no-deps --no-build-isolation . \
 && /opt/gitops-ci/bin/python -I -m pip uninstall --quiet --yes flit-core setuptools pip

FROM ${BASE}
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates git openssh-client \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 10001 gitops-ci
COPY --from=kustomize /app/kustomize /usr/local/bin/kustomize
COPY --from=helm /usr/bin/helm /usr/local/bin/helm
COPY --from=packages /opt/gitops-ci /opt/gitops-ci
ENV PATH=/opt/gitops-ci/bin:$PATH
USER 10001
WORKDIR /work
ENTRYPOINT ["gitops-ci"]
CMD ["--help"]
