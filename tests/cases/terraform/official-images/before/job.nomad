config { image = "nginx:1.25.3" }
