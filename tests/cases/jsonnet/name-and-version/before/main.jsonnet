{
  _config:: { image: 'ghcr.io/acme/shop', version: '1.4.1' },
  "worker": { "repository": "ghcr.io/acme/shop-worker", "tag": "1.4.1" },
  values+: { image+: { registry: 'ghcr.io', repository: 'acme/shop', tag: '1.4.1' } },  // image: 'ghcr.io/acme/shop', tag: '9'
  api: { image: 'ghcr.io/acme/shop', kind: 'Deployment', version: 'v1' },
}
