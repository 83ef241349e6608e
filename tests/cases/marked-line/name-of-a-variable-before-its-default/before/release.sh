export TAG=${TAG:-1.4.1} # gitops-ci: image=ghcr.io/acme/shop part=tag
readonly IMAGE_TAG="${IMAGE_TAG:=1.4.1}" # gitops-ci: image=ghcr.io/acme/shop part=tag
TAG := 1.4.1 # gitops-ci: image=ghcr.io/acme/shop part=tag
set TAG 1.4.1 # gitops-ci: image=ghcr.io/acme/shop part=tag
