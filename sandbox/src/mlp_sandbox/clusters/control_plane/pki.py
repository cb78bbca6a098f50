"""Certificates of one cluster: its authorities, its API server, clients on demand, and the key that signs its tokens.

Authorities and keys are created once and kept. Certificates are renewed before they expire and when their names change.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mlp_sandbox.clusters.folder import write
from mlp_sandbox.clusters.model import Certificate

_CA_LIFE: Final = timedelta(days=3650)
_LIFE: Final = timedelta(days=397)
_RENEW_BEFORE: Final = timedelta(days=30)
_CLOCK_SKEW: Final = timedelta(days=1)
_CLIENT: Final = ExtendedKeyUsageOID.CLIENT_AUTH
_SERVER: Final = ExtendedKeyUsageOID.SERVER_AUTH


class CertificateAuthority:
    """Certificate authority in `folder`, in the files `<stem>.crt` and `<stem>.key`. It is created on first use."""

    def __init__(self, folder: Path, stem: str, common_name: str) -> None:
        self._folder = folder
        self.paths = Certificate(certificate=folder / f"{stem}.crt", key=folder / f"{stem}.key")
        loaded = _load(self.paths)
        if loaded is None or _ends_soon(loaded[1]):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            loaded = _make_authority(common_name)
            _store(self.paths, *loaded)
        self._key, self._certificate = loaded

    @property
    def pem(self) -> str:
        return self._certificate.public_bytes(serialization.Encoding.PEM).decode()

    def client(self, common_name: str, organisations: Sequence[str], stem: str) -> Certificate:
        """Return a client certificate. An existing certificate is reused while it is valid."""
        subject = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, each) for each in organisations]
        name = x509.Name([*subject, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        return self._issue(name, (), (_CLIENT,), stem)

    def server(self, common_name: str, names: Sequence[str], stem: str, *, also_client: bool = False) -> Certificate:
        """Return a server certificate for all the names and addresses."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        return self._issue(name, names, (_SERVER, _CLIENT) if also_client else (_SERVER,), stem)

    def _issue(
        self, subject: x509.Name, names: Sequence[str], usages: Sequence[x509.ObjectIdentifier], stem: str
    ) -> Certificate:
        paths = Certificate(certificate=self._folder / f"{stem}.crt", key=self._folder / f"{stem}.key")
        alternatives = [_alternative(name) for name in names]
        loaded = _load(paths)
        if loaded is not None and self._still_good(loaded[1], subject, alternatives):
            return paths
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            _builder(subject, key.public_key(), _LIFE)
            .issuer_name(self._certificate.subject)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if alternatives:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        _store(paths, key, builder.sign(self._key, hashes.SHA256()))
        return paths

    def _still_good(
        self, certificate: x509.Certificate, subject: x509.Name, alternatives: Sequence[x509.GeneralName]
    ) -> bool:
        if _ends_soon(certificate) or certificate.subject != subject:
            return False
        try:
            certificate.verify_directly_issued_by(self._certificate)
            found = list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
        except x509.ExtensionNotFound:
            found = []
        except (InvalidSignature, ValueError, TypeError):
            return False
        return set(found) == set(alternatives)


def token_key(folder: Path) -> Path:
    """Return the path of the private key that signs service-account tokens. Tokens use RS256, as on EKS.

    The path of the public key is `token_public_key`.
    """
    path = folder / "service-accounts.key"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        write(path, _key_bytes(key))
    public = token_public_key(folder)
    if not public.is_file():
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        write(public, key.public_key().public_bytes(serialization.Encoding.PEM, form), 0o644)
    return path


def token_public_key(folder: Path) -> Path:
    return folder / "service-accounts.pub"


def _make_authority(common_name: str) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    certificate = (
        _builder(name, key.public_key(), _CA_LIFE)
        .issuer_name(name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=True,
                crl_sign=True,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )
    return key, certificate


def _builder(subject: x509.Name, public_key: ec.EllipticCurvePublicKey, life: timedelta) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + life)
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _ends_soon(certificate: x509.Certificate) -> bool:
    return certificate.not_valid_after_utc - datetime.now(UTC) < _RENEW_BEFORE


def _load(paths: Certificate) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate] | None:
    """Return a key and its certificate, or None if either is missing or invalid, or if they do not match."""
    try:
        key = serialization.load_pem_private_key(paths.key.read_bytes(), password=None)
        certificate = x509.load_pem_x509_certificate(paths.certificate.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        return None
    return key, certificate


def _store(paths: Certificate, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
    write(paths.key, _key_bytes(key))
    write(paths.certificate, certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def _key_bytes(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
