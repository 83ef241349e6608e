TAG=${TAG:-1.4.1} # gitops-ci: image=ghcr.io/acme/shop part=tag
: "${IMAGE:=ghcr.io/acme/shop:1.4.1}" # gitops-ci: image=ghcr.io/acme/shop
