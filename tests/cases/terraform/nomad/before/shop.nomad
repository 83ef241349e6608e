variable "tag" {
  default = "1.4.1"
}

job "shop" {
  group "web" {
    task "web" {
      driver = "docker"
      config {
        image = "ghcr.io/acme/shop:1.4.1"
        ports = ["http"]
      }
    }
    task "short" {
      driver = "podman"
      config { image = "ghcr.io/acme/shop:1.4.1" }
    }
    task "filled" {
      config { image = "ghcr.io/acme/shop:${var.tag}" }
    }
    task "address" {
      config { image = "docker://ghcr.io/acme/shop:1.4.1" }
    }
    task "other" {
      config { image = "ghcr.io/acme/shop-worker:1.4.1" }
    }
    # config { image = "ghcr.io/acme/shop:1.4.0" }
  }
}
