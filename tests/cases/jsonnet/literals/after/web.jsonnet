// image: 'ghcr.io/acme/shop:1.4.1'
{
  image: 'ghcr.io/acme/shop:1.5.0',
  other: "ghcr.io/acme/shop:1.5.0",
  built: 'ghcr.io/acme/shop:' + tag,
}
