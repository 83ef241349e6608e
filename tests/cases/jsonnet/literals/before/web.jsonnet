// image: 'ghcr.io/acme/shop:1.4.1'
{
  image: 'ghcr.io/acme/shop:1.4.1',
  other: "ghcr.io/acme/shop:1.4.1",
  built: 'ghcr.io/acme/shop:' + tag,
  begun: 'ghcr.io/acme/shop:v' + $.versions.shop,
  below: 'ghcr.io/acme/shop:1'
         + '.4.1',
  ended: prefix + 'ghcr.io/acme/shop:1.4.1',
  asked: 'ghcr.io/acme/shop:1.4.%d' % 1,
}
