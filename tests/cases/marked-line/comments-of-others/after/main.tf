# gitops-ci: image=ghcr.io/acme/shop part=tag
variable "tag" { default = "1.5.0" } # the shop
// gitops-ci: image=ghcr.io/acme/shop
image = "ghcr.io/acme/shop:1.5.0" // pinned by ops
