shop_image = "ghcr.io/acme/shop:1.5.0"
