shop_image = "ghcr.io/acme/shop:1.4.1"
