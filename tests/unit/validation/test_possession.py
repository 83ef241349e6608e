"""Signatures are verified in this package; the judge is the library `cryptography`."""

from __future__ import annotations

import base64
from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gitops_ci.validation.apiserver.possession import public_key
from tests.support.effort import examples

MESSAGE = b"d2719a3a-3a42-4d0b-a1f9-f2a7dcc3a2d4"
# Made when a test asks for them: every worker collects this file.
KINDS = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "P-521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "RSA": lambda: rsa.generate_private_key(65537, 3072),
}
OTHERS = {
    "a short RSA key": (lambda: der(rsa.generate_private_key(65537, 2048)), "3072 or 4096"),
    "P-224": (lambda: der(ec.generate_private_key(ec.SECP224R1())), "P-256"),
    "secp256k1": (lambda: der(ec.generate_private_key(ec.SECP256K1())), "P-256"),
    "DSA": (lambda: der(dsa.generate_private_key(2048)), "Ed25519, ECDSA or RSA"),
    "cut off": (lambda: der(made("P-256"))[:-1], "in DER"),
    "a byte too many": (lambda: der(made("P-256")) + b"\0", "in DER"),
    "no point of the curve": (lambda: _with_another_end(der(made("P-256"))), "in DER"),
    "nothing": (lambda: b"", "in DER"),
    "base64": (lambda: base64.b64encode(der(made("RSA"))), "in DER"),
    "no length": (lambda: b"\x30\x80\0\0", "in DER"),
}


@cache
def made(name):
    return KINDS[name]()


def _with_another_end(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


def der(key) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def sign(key, message: bytes = MESSAGE, salt: int = padding.PSS.DIGEST_LENGTH) -> bytes:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, padding.PSS(padding.MGF1(SHA256()), salt), SHA256())
    return key.sign(message, ec.ECDSA(SHA256()))


@pytest.mark.soak
@pytest.mark.parametrize("name", KINDS)
def test_only_the_signature_of_the_text_by_the_key_is_a_proof(name):
    key, verify = made(name), public_key(der(made(name)))
    assert callable(verify)
    for number in range(examples(1, times=5)):
        message = MESSAGE + bytes([number])
        signature = sign(key, message)
        assert verify(message, signature)
        assert not verify(MESSAGE, signature)
        for at in (0, 5, len(signature) // 2, len(signature) - 1):
            other = bytearray(signature)
            other[at] ^= 1
            assert not verify(message, bytes(other))
        assert not verify(message, signature[:-1])
        assert not verify(message, signature + b"\0")
    assert not verify(MESSAGE, b"")


@pytest.mark.parametrize("salt", [0, 20, padding.PSS.MAX_LENGTH])
def test_a_salt_may_have_any_length(salt):
    verify = public_key(der(made("RSA")))
    assert callable(verify)
    assert verify(MESSAGE, sign(made("RSA"), salt=salt))


def test_another_padding_is_no_proof():
    verify = public_key(der(made("RSA")))
    assert callable(verify)
    assert not verify(MESSAGE, made("RSA").sign(MESSAGE, padding.PKCS1v15(), SHA256()))


@pytest.mark.parametrize("name", OTHERS)
def test_the_server_does_not_take_other_keys(name):
    make, why = OTHERS[name]
    found = public_key(make())
    assert isinstance(found, str)
    assert why in found
