e = { shop = "1.9", replicas = 2, host = "10.0.0.1" } # gitops-ci: image=ghcr.io/acme/shop part=tag
