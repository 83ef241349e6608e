locals {
  image = { repository = "ghcr.io/acme/shop", tag = "1.5.0" }
  other = { repository = "ghcr.io/acme/shop-worker", tag = "1.4.1" }
}

variable "task" {
  type = object({ image = string, version = string })
  default = {
    image   = "ghcr.io/acme/shop"
    version = "1.5.0" # by hand
  }
}

resource "helm_release" "shop" {
  repository = "oci://ghcr.io/acme/charts"
  chart      = "shop"
  version    = "1.4.1"
  values     = [<<-END
    hint: "{ tag = 1.4.1"
    END
  ]

  set {
    name  = "image.repository"
    value = "ghcr.io/acme/shop"
  }
  set {
    name  = "image.tag"
    value = "1.5.0"
  }
  set {
    name  = "worker.image.tag"
    value = "1.4.1"
  }
}

module "built" {
  source        = "./module"
  web_image     = "ghcr.io/acme/shop"
  web_image_tag = "1.5.0"
  db_image      = "ghcr.io/acme/db"
  db_image_tag  = "1.4.1"
  # image = "ghcr.io/acme/shop"
  # tag   = "1.4.1"
}

resource "old" "chart" {
  chart      = "shop"
  repository = "ghcr.io/acme/shop"
  version    = "1.4.1"
}

output "joined" {
  value = { image = "ghcr.io/acme/shop", tag = "1.4" + var.patch }
}
