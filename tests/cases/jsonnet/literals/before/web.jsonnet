// image: 'ghcr.io/acme/shop:1.4.1'
{
  image: 'ghcr.io/acme/shop:1.4.1',
  other: "ghcr.io/acme/shop:1.4.1",
  built: 'ghcr.io/acme/shop:' + tag,
}
