"""P-256 signatures, tokens and certificates, held against the published vectors and against OpenSSL where it is there."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from minikube_py.api import authority
from minikube_py.base import jwt, p256, x509

if TYPE_CHECKING:
    from pathlib import Path

# RFC 6979, A.2.5: P-256 with SHA-256.
KEY = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
PUBLIC = (
    0x60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6,
    0x7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299,
)
SIGNED = [
    (
        b"sample",
        0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716,
        0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8,
    ),
    (
        b"test",
        0xF1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367,
        0x019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083,
    ),
]


def test_the_public_key_is_that_of_the_rfc() -> None:
    assert p256.public(KEY) == PUBLIC
    assert p256.is_on_curve(PUBLIC)
    assert not p256.is_on_curve((PUBLIC[0], PUBLIC[1] + 1))


@pytest.mark.parametrize(("message", "r", "s"), SIGNED)
def test_signatures_are_those_of_the_rfc(message: bytes, r: int, s: int) -> None:
    assert p256.sign(KEY, message) == (r, s)
    assert p256.verify(PUBLIC, message, r, s)
    assert not p256.verify(PUBLIC, message + b"!", r, s)
    assert not p256.verify(PUBLIC, message, s, r)
    assert not p256.verify(PUBLIC, message, 0, s)


def test_keys_follow_from_seed_and_purpose() -> None:
    keys = {p256.key_of(seed, purpose) for seed in (0, 1) for purpose in ("a", "b")}
    assert len(keys) == 4
    assert p256.key_of(1, "a") in keys


def test_a_token_is_read_only_by_its_own_cluster() -> None:
    claims = {"iss": "me", "aud": ["you"], "exp": 5}
    token = jwt.sign(1, claims)
    assert jwt.read(1, token) == jwt.unverified(token) == claims
    with pytest.raises(ValueError, match="error in cryptographic primitive"):
        jwt.read(2, token)
    head, body, signature = token.split(".")
    with pytest.raises(ValueError, match="error in cryptographic primitive"):
        jwt.read(1, f"{head}.{jwt.sign(1, {**claims, 'exp': 9}).split('.')[1]}.{signature}")
    for garbage in ("", "a.b", "a.b.c", "..", f"{head}.{body}.", f"{head}.{body}.x", "\ud800.a.b"):
        with pytest.raises(ValueError):
            jwt.read(1, garbage)


def test_the_key_set_names_the_key_of_the_tokens() -> None:
    import base64
    import json

    key = jwt.keys(1)["keys"][0]
    head = jwt.sign(1, {}).split(".")[0]
    assert json.loads(base64.urlsafe_b64decode(head + "==")) == {"alg": "ES256", "kid": key["kid"]}
    x, y = (int.from_bytes(base64.urlsafe_b64decode(key[name] + "="), "big") for name in ("x", "y"))
    assert p256.is_on_curve((x, y))


def test_a_request_says_who_asks_and_for_what() -> None:
    wanted = x509.read_request(x509.request(KEY, "jane", ("dev", "ops"), ("a.example.com",)))
    assert (wanted.common_name, wanted.organizations, wanted.dns_names) == ("jane", ("dev", "ops"), ("a.example.com",))
    assert wanted.key == x509.public_key(KEY)


@pytest.mark.parametrize("text", ["", "x", "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----", "-----BEGIN CERTIFICATE REQUEST-----\n!\n-----END CERTIFICATE REQUEST-----", x509.pem("CERTIFICATE REQUEST", b"\x30\x03\x02\x01\x00")])  # fmt: skip
def test_what_is_no_request(text: str) -> None:
    with pytest.raises(ValueError):
        x509.read_request(text)


@pytest.mark.parametrize(
    ("text", "data"), [("2.5.4.3", "0603550403"), ("1.2.840.113549.1.9.14", "06092a864886f70d01090e")]
)
def test_object_ids(text: str, data: str) -> None:
    assert x509.object_id(text).hex() == data


def test_long_values_and_negative_looking_numbers() -> None:
    assert x509.der(4, b"a" * 200)[:3] == b"\x04\x81\xc8"
    assert x509.integer(128).hex() == "02020080"


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")
def test_openssl_trusts_what_the_authority_signs(tmp_path: Path) -> None:
    wanted = x509.read_request(x509.request(KEY, "jane", ("dev",), ("a.example.com",)))
    text = x509.issue(wanted, authority.of(3), ["client auth"], 1 << 100, authority.FROM_S, authority.UNTIL_S)
    (tmp_path / "ca.pem").write_text(authority.certificate(3))
    (tmp_path / "jane.pem").write_text(text)
    (tmp_path / "key.pem").write_text(x509.private_key(KEY))

    def openssl(*words: str) -> str:
        return subprocess.run(["openssl", *words], cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    assert openssl("verify", "-CAfile", "ca.pem", "jane.pem") == "jane.pem: OK\n"
    assert "a.example.com" in openssl("x509", "-in", "jane.pem", "-noout", "-ext", "subjectAltName")
    assert openssl("ec", "-in", "key.pem", "-pubout") == openssl("x509", "-in", "jane.pem", "-noout", "-pubkey")
