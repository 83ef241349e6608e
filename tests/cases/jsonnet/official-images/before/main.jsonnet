{ image: 'nginx:1.25.3', "webImage":: "nginx:1.25.3", address: 'nginx:8080' }
