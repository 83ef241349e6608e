resource "docker_container" "web" {
  image   = "nginx:1.29.1"
  address = "nginx:8080"
}
