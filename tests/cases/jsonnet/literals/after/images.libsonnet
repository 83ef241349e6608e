{ _images+:: { shop: 'ghcr.io/acme/shop:1.5.0' } }
