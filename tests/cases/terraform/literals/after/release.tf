resource "helm_release" "shop" {
  values = [<<-EOF
    image:
      repository: ghcr.io/acme/shop
      tag: 1.5.0
    sidecar:
      image: {repository: ghcr.io/acme/shop, tag: "${var.tag}"}
    EOF
    , <<EOF
host: ${var.host}
image:
  repository: ghcr.io/acme/shop
  tag: "1.5.0" # second
EOF
  ]
}
