resource "helm_release" "x" {
  name       = "x"
  repository = "oci://ghcr.io/acme/charts"
  chart      = "shop"
  version    = "1.4.1"
}
resource "helm_release" "y" {
  name    = "x"
  chart   = "oci://ghcr.io/acme/charts/shop"
  version = "1.4.1"
}
