job "shop" {
  group "g" {
    task "t" {
      driver = "docker"
      config { image = "ghcr.io/acme/shop:1.4.1" }
    }
  }
}
