a = "ghcr.io/acme/shop:1.4.1" // gitops-ci: no-bump
b = "ghcr.io/acme/shop:1.5.0" # gitops-ci: image=ghcr.io/acme/shop
