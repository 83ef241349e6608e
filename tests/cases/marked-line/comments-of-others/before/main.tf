# gitops-ci: image=ghcr.io/acme/shop part=tag
variable "tag" { default = "1.4.1" } # the shop
// gitops-ci: image=ghcr.io/acme/shop
image = "ghcr.io/acme/shop:1.4.1" // pinned by ops
