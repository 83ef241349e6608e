a = "1.9" # gitops-ci: image=ghcr.io/acme/shop part=version
b = "" # gitops-ci: image=ghcr.io/acme/shop part=digest
c = "1.9" # gitops-ci: image=ghcr.io/acme/shop:1.9
