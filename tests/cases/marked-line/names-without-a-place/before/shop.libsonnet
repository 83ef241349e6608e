{ version: '1.4.1', image: 'ghcr.io/acme/shop:' + self.version }
