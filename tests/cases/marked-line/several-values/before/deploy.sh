run --tag=1.4.1 --port=8080 # gitops-ci: image=ghcr.io/acme/shop part=tag
run --repo=ghcr.io/acme/shop --tag=1.4.1 # gitops-ci: image=ghcr.io/acme/shop
copy ghcr.io/acme/shop:1.4.1 ghcr.io/acme/shop:1.3.0 # gitops-ci: image=ghcr.io/acme/shop
deploy shop 1.4.1 # gitops-ci: image=ghcr.io/acme/shop
# gitops-ci: image=ghcr.io/acme/shop
compare 1.4.1 1.4.1
