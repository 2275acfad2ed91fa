"""The certificates of a server: an authority of its own, and a certificate for the loopback addresses that it signs."""

from __future__ import annotations

import ipaddress
import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from minikube_py import home
from minikube_py.base import clock

if TYPE_CHECKING:
    from collections.abc import Iterable

LASTS = timedelta(days=3650)
RENEWED = timedelta(days=30)  # before its end a certificate is made anew
NAMES = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)


def ensure(folder: str, addresses: Iterable[str]) -> None:
    """ca.crt, ca.key, server.crt and server.key in a folder: made where they are missing, over, or of other addresses.

    The authority stays, so that a kubeconfig goes on working.
    """
    now = datetime.fromtimestamp(clock.wall_now_s(), UTC)
    wanted = sorted({"127.0.0.1", "::1", "10.96.0.1", *addresses})
    authority = _loaded(folder, "ca", now)
    if authority is None:
        authority = _authority(now)
        _save(folder, "ca", *authority)
    own = _loaded(folder, "server", now)
    if (
        own is None
        or _addresses(own[0]) != wanted
        or own[0].issuer != authority[0].subject
        or not _signed_by(own[0], authority[0])
    ):
        _save(folder, "server", *_own(now, wanted, *authority))


Pair = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def _loaded(folder: str, name: str, now: datetime) -> Pair | None:
    """A certificate and its key, if they can be read and last."""
    try:
        with open(os.path.join(folder, f"{name}.crt"), "rb") as file:
            certificate = x509.load_pem_x509_certificate(file.read())
        with open(os.path.join(folder, f"{name}.key"), "rb") as file:
            key = serialization.load_pem_private_key(file.read(), None)
    except (OSError, ValueError):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or certificate.not_valid_after_utc < now + RENEWED:
        return None
    return certificate, key


def _signed_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except Exception:  # whatever is wrong with it, it is made anew
        return False
    return True


def _addresses(certificate: x509.Certificate) -> list[str]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return sorted(str(address) for address in names.get_values_for_type(x509.IPAddress))


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(int(clock.secret()[:38], 16))
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LASTS)
    )


def _authority(now: datetime) -> Pair:
    key, name = ec.generate_private_key(ec.SECP256R1()), _name(f"kpy-ca-{clock.secret()[:8]}")
    builder = _builder(name, name, key, now).add_extension(
        x509.BasicConstraints(ca=True, path_length=None), critical=True
    )
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = builder.add_extension(usage, critical=True).add_extension(identifier, critical=False)
    return builder.sign(key, hashes.SHA256()), key


def _own(now: datetime, addresses: list[str], authority: x509.Certificate, signer: ec.EllipticCurvePrivateKey) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    names = [*map(x509.DNSName, NAMES), *(x509.IPAddress(ipaddress.ip_address(one)) for one in addresses)]
    by = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    builder = (
        _builder(_name("kube-apiserver"), authority.subject, key, now)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(by, critical=False)
    )
    return builder.sign(signer, hashes.SHA256()), key


def _save(folder: str, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    home.write(os.path.join(folder, f"{name}.key"), private.decode())
    home.write(os.path.join(folder, f"{name}.crt"), certificate.public_bytes(pem).decode())
