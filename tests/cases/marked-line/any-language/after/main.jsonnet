// gitops-ci: image=ghcr.io/acme/shop part=tag
local tag = '1.10';
{ image: 'ghcr.io/acme/shop:1.10' } // gitops-ci: image=ghcr.io/acme/shop part=reference
