variable "tag" { default = "1.5.0" } # gitops-ci: image=ghcr.io/acme/shop part=tag
