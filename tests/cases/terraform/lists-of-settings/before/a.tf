locals {
  images = {
    shop  = "ghcr.io/acme/shop:1.4.1"
    "web" = "ghcr.io/acme/web:1.4.1"
  }
  shop = {
    repository = "ghcr.io/acme/shop"
    tag        = "1.4.1"
  }
  list = ["ghcr.io/acme/shop:1.4.1", "x"]
  one = { name = "ghcr.io/acme/shop", version = "1.4.1", n = 1 }
}
variable "img" {
  type    = string
  default = "ghcr.io/acme/shop:1.4.1"
}
resource "kubernetes_deployment" "x" {
  spec {
    template {
      spec {
        container {
          image = "ghcr.io/acme/shop:1.4.1"
        }
      }
    }
  }
}
resource "helm_release" "y" {
  set {
    name  = "image.repository"
    value = "ghcr.io/acme/shop"
  }
  set {
    name  = "image.tag"
    value = "1.4.1"
  }
  values = [<<-EOT
    image:
      repository: ghcr.io/acme/shop
      tag: 1.4.1
  EOT
  ]
  set = [
    { name = "image.repository", value = "ghcr.io/acme/shop" },
    { name = "image.tag", value = "1.4.1" },
  ]
}
resource "helm_release" "z" {
  values = [yamlencode({ image = { repository = "ghcr.io/acme/shop", tag = "1.4.1" } })]
}
# image = "ghcr.io/acme/shop:1.4.1"
/* image = "ghcr.io/acme/shop:1.4.1" */
