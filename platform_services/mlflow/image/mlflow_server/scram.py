"""PostgreSQL's verifier of a password, computed here, so that no statement or log of the database contains a password.

RDS writes statements that change roles into its log, which CloudWatch keeps (`log_statement: ddl`).
https://www.postgresql.org/docs/current/catalog-pg-authid.html and RFC 5803
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

ITERATIONS = 4096
"""PostgreSQL's default. https://www.postgresql.org/docs/current/runtime-config-connection.html"""


def verifier(password: str, salt: bytes | None = None) -> str:
    """Return the SCRAM-SHA-256 verifier of a password.

    Args:
        password: in ASCII, like the generated ones; others would have to be normalised first.
        salt: 16 random bytes if left out.

    Raises:
        ValueError: the password is empty or not ASCII.
    """
    if not password or not password.isascii():
        raise ValueError("the password of a role must be in ASCII, and not empty; make a new one with `mlp rotate`")
    salt = secrets.token_bytes(16) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    stored = hashlib.sha256(_keyed(salted, b"Client Key")).digest()
    return f"SCRAM-SHA-256${ITERATIONS}:{_text(salt)}${_text(stored)}:{_text(_keyed(salted, b'Server Key'))}"


def _keyed(key: bytes, text: bytes) -> bytes:
    return hmac.new(key, text, hashlib.sha256).digest()


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
