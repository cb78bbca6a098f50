"""Certificate authority of a sandbox and server certificates of its instances, as RDS has them.

Clients verify servers with the CA file that the status names. Certificates are renewed before they expire, and reissued
when the address changes or the authority is new.
"""

import ipaddress
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_CA_LIFE: Final = timedelta(days=3650)
_SERVER_LIFE: Final = timedelta(days=397)
_RENEW_BEFORE: Final = timedelta(days=30)
_CLOCK_SKEW: Final = timedelta(days=1)


class CertificateAuthority:
    """Certificate authority of the sandbox; it is made on first use and kept in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.bundle = self.bundle_in(folder)
        self._key_file = folder / "rds-ca.key"
        loaded = _load_pair(self._key_file, self.bundle)
        if loaded is None or _ends_soon(loaded[1]):
            folder.mkdir(parents=True, exist_ok=True)
            loaded = _make_authority()
            _write(self._key_file, _key_bytes(loaded[0]), 0o600)
            _write(self.bundle, loaded[1].public_bytes(serialization.Encoding.PEM), 0o644)
        self._key, self._certificate = loaded

    @staticmethod
    def bundle_in(folder: Path) -> Path:
        """Return the path of the authority's certificate, which may not exist yet."""
        return folder / "rds-ca.pem"

    def issue(self, address: str) -> tuple[bytes, bytes]:
        """Return a new key and certificate (PEM) for the server at an address.

        The certificate also has the address as a DNS name, for clients that ignore IP addresses in certificates.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        alternatives = [x509.IPAddress(ipaddress.ip_address(address)), x509.DNSName(address)]
        certificate = (
            _builder(address, key.public_key(), _SERVER_LIFE)
            .issuer_name(self._certificate.subject)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )
        return _key_bytes(key), certificate.public_bytes(serialization.Encoding.PEM)

    def accepts(self, key_file: Path, certificate_file: Path, address: str) -> bool:
        """Return whether an instance's key and certificate can be kept.

        They must be intact, issued by this authority for this address, and not expire soon.
        """
        loaded = _load_pair(key_file, certificate_file)
        if loaded is None or _ends_soon(loaded[1]):
            return False
        certificate = loaded[1]
        try:
            certificate.verify_directly_issued_by(self._certificate)
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (InvalidSignature, ValueError, TypeError, x509.ExtensionNotFound):
            return False
        return ipaddress.ip_address(address) in names.get_values_for_type(x509.IPAddress)


def _make_authority() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _builder("ml-platform local database authority", key.public_key(), _CA_LIFE)
        .issuer_name(_name("ml-platform local database authority"))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(
                digital_signature=False,
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


def _builder(subject: str, public_key: ec.EllipticCurvePublicKey, life: timedelta) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + life)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _ends_soon(certificate: x509.Certificate) -> bool:
    return certificate.not_valid_after_utc - datetime.now(UTC) < _RENEW_BEFORE


def _load_pair(key_file: Path, certificate_file: Path) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate] | None:
    """Return a key and its certificate; None when either is missing or damaged, or when they do not belong together."""
    try:
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        return None
    return key, certificate


def _key_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes, mode: int) -> None:
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    fresh.replace(path)
