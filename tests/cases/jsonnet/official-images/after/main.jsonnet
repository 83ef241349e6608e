{ image: 'nginx:1.29.1', "webImage":: "nginx:1.29.1", address: 'nginx:8080' }
