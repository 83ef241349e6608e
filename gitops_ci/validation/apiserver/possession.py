"""Whether a signature over a text was made with the private key of a public one, as the API server verifies it.

Only for what a manifest holds: nothing here is secret, so that no operation has to take the same time for all values.
Sources: k8s.io/kubernetes pkg/apis/certificates/validation (validateDeprecatedPKIXPublicKey), Go crypto/x509
ParsePKIXPublicKey; RFC 5280 and RFC 5480 (keys), RFC 8032 (Ed25519), FIPS 186-5 (ECDSA), RFC 8017 (RSASSA-PSS).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["Proof", "public_key"]

# Whether a signature of a message was made with the private key.
Proof = Callable[[bytes, bytes], bool]
_Point = tuple[int, int] | None

_RSA = bytes.fromhex("2a864886f70d010101")
_EC = bytes.fromhex("2a8648ce3d0201")
_ED25519 = bytes.fromhex("2b6570")
_SEQUENCE, _INTEGER, _BITS, _OBJECT_ID, _NULL = 0x30, 0x02, 0x03, 0x06, 0x05
_RSA_SIZES = (384, 512)


class _Curve(NamedTuple):
    """y² = x³ - 3x + b over a field of p elements; g has the order n."""

    p: int
    b: int
    n: int
    g: tuple[int, int]


def public_key(der: bytes) -> Proof | str:
    """How signatures of a SubjectPublicKeyInfo are verified; or why the API server does not take the key."""
    try:
        algorithm, bits = _parts(_whole(der, _SEQUENCE), _SEQUENCE, _BITS)
        name, parameters = _read(algorithm, _OBJECT_ID)
        return _key(name, parameters, _octets(bits))
    except (ValueError, IndexError):
        return "must be a public key in DER, in base64"


def _key(name: bytes, parameters: bytes, key: bytes) -> Proof | str:
    if name == _ED25519 and not parameters and len(key) == 32:
        return lambda message, signature: _ed25519(key, message, signature)
    if name == _EC:
        curve = _CURVES.get(_whole(parameters, _OBJECT_ID))
        if curve is None:
            return "must be a key on the curve P-256, P-384 or P-521"
        point = _point_of(curve, key)
        return lambda message, signature: _ecdsa(curve, point, message, signature)
    if name == _RSA and _whole(parameters, _NULL) == b"":
        modulus, exponent = map(_number, _parts(_whole(key, _SEQUENCE), _INTEGER, _INTEGER))
        if modulus <= 0 or not 2 <= exponent < 1 << 31:
            raise ValueError
        if (size := (modulus.bit_length() + 7) // 8) not in _RSA_SIZES:
            return "must have 3072 or 4096 bits, as an RSA key"
        return lambda message, signature: _pss(modulus, exponent, size, message, signature)
    return "must be a key of Ed25519, ECDSA or RSA"


def _read(der: bytes, tag: int) -> tuple[bytes, bytes]:
    """The content of the first element, and what follows. Raises ValueError or IndexError for another one."""
    length, start = der[1], 2
    if length >= 0x80:
        count = length & 0x7F
        length, start = int.from_bytes(der[2 : 2 + count], "big"), 2 + count
        if not 0 < count < 4 or length < 0x80 or der[2] == 0:
            raise ValueError
    if der[0] != tag or len(der) < start + length:
        raise ValueError
    return der[start : start + length], der[start + length :]


def _whole(der: bytes, tag: int) -> bytes:
    content, rest = _read(der, tag)
    if rest:
        raise ValueError
    return content


def _parts(der: bytes, first: int, second: int) -> tuple[bytes, bytes]:
    one, rest = _read(der, first)
    return one, _whole(rest, second)


def _octets(bits: bytes) -> bytes:
    """A BIT STRING of whole octets."""
    if bits[:1] != b"\0":
        raise ValueError
    return bits[1:]


def _number(content: bytes) -> int:
    """An INTEGER in the shortest form."""
    if not content or (len(content) > 1 and (content[0], content[1] >> 7) in {(0, 0), (0xFF, 1)}):
        raise ValueError
    return int.from_bytes(content, "big", signed=True)


def _point_of(curve: _Curve, key: bytes) -> tuple[int, int]:
    """An uncompressed point of the curve. Raises ValueError for another text."""
    size = (curve.p.bit_length() + 7) // 8
    x, y = int.from_bytes(key[1 : 1 + size], "big"), int.from_bytes(key[1 + size :], "big")
    is_on_curve = (y * y - x * x * x + 3 * x - curve.b) % curve.p == 0
    if key[:1] != b"\x04" or len(key) != 1 + 2 * size or max(x, y) >= curve.p or not is_on_curve:
        raise ValueError
    return x, y


def _ecdsa(curve: _Curve, point: tuple[int, int], message: bytes, signature: bytes) -> bool:
    try:
        r, s = map(_number, _parts(_whole(signature, _SEQUENCE), _INTEGER, _INTEGER))
    except (ValueError, IndexError):
        return False
    if not (0 < r < curve.n and 0 < s < curve.n):
        return False
    # No curve's order is shorter than the hash.
    hashed = int.from_bytes(hashlib.sha256(message).digest(), "big")
    inverse = pow(s, -1, curve.n)
    found = _add(
        curve,
        _times(curve, hashed * inverse % curve.n, curve.g),
        _times(curve, r * inverse % curve.n, point),
    )
    return found is not None and found[0] % curve.n == r


def _times(curve: _Curve, factor: int, point: _Point) -> _Point:
    result: _Point = None
    for bit in f"{factor:b}":
        result = _add(curve, result, result)
        if bit == "1":
            result = _add(curve, result, point)
    return result


def _add(curve: _Curve, one: _Point, other: _Point) -> _Point:
    if one is None or other is None:
        return other if one is None else one
    if one[0] == other[0]:
        if (one[1] + other[1]) % curve.p == 0:
            return None
        slope = (3 * one[0] ** 2 - 3) * pow(2 * one[1], -1, curve.p)
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, curve.p)
    x = (slope * slope - one[0] - other[0]) % curve.p
    return x, (slope * (one[0] - x) - one[1]) % curve.p


def _pss(modulus: int, exponent: int, size: int, message: bytes, signature: bytes) -> bool:
    """RSASSA-PSS with SHA-256, MGF1, and a salt of any length."""
    number = int.from_bytes(signature, "big")
    if len(signature) != size or number >= modulus:
        return False
    bits = modulus.bit_length() - 1
    length = (bits + 7) // 8
    opened = pow(number, exponent, modulus)
    if opened.bit_length() > bits:
        return False
    encoded = opened.to_bytes(length, "big")
    masked, hashed = encoded[:-33], encoded[-33:-1]
    if encoded[-1] != 0xBC:
        return False
    mask = b"".join(
        hashlib.sha256(hashed + count.to_bytes(4, "big")).digest() for count in range(len(masked) // 32 + 1)
    )
    block = int.from_bytes(masked, "big") ^ int.from_bytes(mask[: len(masked)], "big")
    block &= (1 << (bits - 8 * 33)) - 1
    padding, one, salt = block.to_bytes(len(masked), "big").partition(b"\1")
    own = hashlib.sha256(bytes(8) + hashlib.sha256(message).digest() + salt).digest()
    return bool(one) and not any(padding) and own == hashed


# Ed25519: -x² + y² = 1 + dx²y² over a field of _P elements; points are (x, y, z, t) with xy = zt.
_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_ROOT = pow(2, (_P - 1) // 4, _P)
_Extended = tuple[int, int, int, int]


def _ed25519(key: bytes, message: bytes, signature: bytes) -> bool:
    point = _decompressed(key)
    if len(signature) != 64 or point is None:
        return False
    scalar = int.from_bytes(signature[32:], "little")
    if scalar >= _ORDER:
        return False
    hashed = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % _ORDER
    base = _decompressed((4 * pow(5, -1, _P) % _P).to_bytes(32, "little"))
    assert base is not None
    negated = (-point[0] % _P, point[1], point[2], -point[3] % _P)
    x, y, z, _ = _sum(_multiple(scalar, base), _multiple(hashed, negated))
    inverse = pow(z, -1, _P)
    encoded = (y * inverse % _P) | (x * inverse % _P & 1) << 255
    return encoded.to_bytes(32, "little") == signature[:32]


def _decompressed(encoded: bytes) -> _Extended | None:
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, (number & (1 << 255) - 1) % _P
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT % _P
    if (x * x - square) % _P:
        return None
    x = -x % _P if x & 1 != sign else x
    return x, y, 1, x * y % _P


def _sum(one: _Extended, other: _Extended) -> _Extended:
    a, b = (one[1] - one[0]) * (other[1] - other[0]), (one[1] + one[0]) * (other[1] + other[0])
    c, d = 2 * _D * one[3] * other[3], 2 * one[2] * other[2]
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _multiple(factor: int, point: _Extended) -> _Extended:
    result: _Extended = (0, 1, 1, 0)
    for bit in f"{factor:b}":
        result = _sum(result, result)
        if bit == "1":
            result = _sum(result, point)
    return result


# By their object identifiers (RFC 5480); the numbers are those of FIPS 186-5, SP 800-186.
_CURVES = {
    bytes.fromhex("2a8648ce3d030107"): _Curve(
        2**256 - 2**224 + 2**192 + 2**96 - 1,
        0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
        0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
        (
            0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
            0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
        ),
    ),
    bytes.fromhex("2b81040022"): _Curve(
        2**384 - 2**128 - 2**96 + 2**32 - 1,
        0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF,
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
        (
            0xAA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B9859F741E082542A385502F25DBF55296C3A545E3872760AB7,
            0x3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147CE9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F,
        ),
    ),
    bytes.fromhex("2b81040023"): _Curve(
        2**521 - 1,
        int(
            "0051953EB9618E1C9A1F929A21A0B68540EEA2DA725B99B315F3B8B489918EF109"
            "E156193951EC7E937B1652C0BD3BB1BF073573DF883D2C34F1EF451FD46B503F00",
            16,
        ),
        2**521 - 0x5AE79787C40D069948033FEB708F65A2FC44A36477663B851449048E16EC79BF7,
        (
            int(
                "00C6858E06B70404E9CD9E3ECB662395B4429C648139053FB521F828AF606B4D3D"
                "BAA14B5E77EFE75928FE1DC127A2FFA8DE3348B3C1856A429BF97E7E31C2E5BD66",
                16,
            ),
            int(
                "011839296A789A3BC0045C8A5FB42C7D1BD998F54449579B446817AFBD17273E66"
                "2C97EE72995EF42640C550B9013FAD0761353C7086A272C24088BE94769FD16650",
                16,
            ),
        ),
    ),
}
