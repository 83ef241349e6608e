variable "tag" { default = "1.4.1" } # gitops-ci: image=ghcr.io/acme/shop part=tag
