TAG=${TAG:-1.5.0} # gitops-ci: image=ghcr.io/acme/shop part=tag
: "${IMAGE:=ghcr.io/acme/shop:1.5.0}" # gitops-ci: image=ghcr.io/acme/shop
