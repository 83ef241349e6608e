{ _images+:: { shop: 'ghcr.io/acme/shop:1.4.1' } }
