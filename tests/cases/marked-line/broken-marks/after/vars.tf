a = "1.9" # gitops-ci: image=ghcr.io/acme/shop part=version
b = "" # gitops-ci: image=ghcr.io/acme/shop part=digest
c = "1.9" # gitops-ci: image=ghcr.io/acme/shop:1.9
d = { shop = "1.4.0", worker = "2.0.0" } # gitops-ci: image=ghcr.io/acme/shop part=tag
