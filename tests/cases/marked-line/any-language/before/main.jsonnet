// gitops-ci: image=ghcr.io/acme/shop part=tag
local tag = '1.9';
{ image: 'ghcr.io/acme/shop:1.9' } // gitops-ci: image=ghcr.io/acme/shop part=reference
