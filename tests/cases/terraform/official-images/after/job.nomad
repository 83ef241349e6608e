config { image = "nginx:1.29.1" }
