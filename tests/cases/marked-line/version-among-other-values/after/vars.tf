e = { shop = "1.10", replicas = 2, host = "10.0.0.1" } # gitops-ci: image=ghcr.io/acme/shop part=tag
