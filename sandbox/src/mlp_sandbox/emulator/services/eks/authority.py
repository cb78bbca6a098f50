"""EKS: the certificate authority of a cluster without a data plane: a real certificate, the same on every read."""

import base64
import hashlib
from datetime import datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

_VALID_FOR = timedelta(days=3650)


@cache
def placeholder_authority(cluster_id: str, created: datetime) -> str:
    """Return the certificate in the format of certificateAuthority.data. Ed25519 signatures use no randomness."""
    secret = hashlib.sha256(f"certificate authority of {cluster_id}".encode()).digest()
    key = Ed25519PrivateKey.from_private_bytes(secret)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubernetes")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(secret[:8], "big") or 1)
        .not_valid_before(created)
        .not_valid_after(created + _VALID_FOR)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, None)
    )
    return base64.b64encode(certificate.public_bytes(Encoding.PEM)).decode()
