# image = "ghcr.io/acme/shop:1.4.1"
resource "kubernetes_deployment" "shop" {
  spec { template { spec { container {
    image = "ghcr.io/acme/shop:1.4.1" # what runs, not "ghcr.io/acme/shop:0.1"
    args  = ["--sidecar", "ghcr.io/acme/shop:1.4.1@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]
  } } } }
}
locals {
  images = { shop = "ghcr.io/acme/shop:1.4.1", worker = "ghcr.io/acme/shop-worker:1.4.1" }
  built  = "${var.registry}/acme/shop:1.4.1"
  tagged = "ghcr.io/acme/shop:${var.tag}"
  text   = "see ghcr.io/acme/shop:1.4.1"
}
