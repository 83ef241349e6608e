resource "docker_container" "web" {
  image   = "nginx:1.25.3"
  address = "nginx:8080"
}
