"""Certificates and password verifiers of database servers."""

import ssl
from datetime import timedelta
from pathlib import Path

import pytest

from mlp_sandbox.databases.postgres import tls
from mlp_sandbox.databases.postgres.roles import verifies
from mlp_sandbox.databases.postgres.tls import CertificateAuthority

# Made by libpq for the password below.
VERIFIER = (
    "SCRAM-SHA-256$4096:7I9wIs23Q3NQ+Vmou2+/bw==$7kqXKUZBVvoWXiDQc1pCykNGcqRbW7SoPwiXWZYhp6A="
    ":je4Rx7vRHlQRUTWHrc41kmV+pxgfvVEIfyrlayphZ10="
)


def _issue(authority: CertificateAuthority, folder: Path, address: str) -> tuple[Path, Path]:
    key, certificate = authority.issue(address)
    (folder / "server.key").write_bytes(key)
    (folder / "server.crt").write_bytes(certificate)
    return folder / "server.key", folder / "server.crt"


def test_the_authority_is_made_once_and_its_key_is_private(tmp_path: Path):
    first = CertificateAuthority(tmp_path).bundle.read_bytes()
    assert CertificateAuthority(tmp_path).bundle.read_bytes() == first
    assert (tmp_path / "rds-ca.key").stat().st_mode & 0o077 == 0


def test_a_server_certificate_is_accepted_for_its_own_address_only(tmp_path: Path):
    authority = CertificateAuthority(tmp_path)
    pair = _issue(authority, tmp_path, "127.70.1.2")
    assert authority.accepts(*pair, "127.70.1.2")
    assert not authority.accepts(*pair, "127.70.1.3")


def test_a_certificate_of_another_authority_is_not_accepted(tmp_path: Path):
    pair = _issue(CertificateAuthority(tmp_path / "other"), tmp_path, "127.70.1.2")
    assert not CertificateAuthority(tmp_path / "own").accepts(*pair, "127.70.1.2")


def test_a_certificate_that_ends_soon_is_not_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    authority = CertificateAuthority(tmp_path)
    monkeypatch.setattr(tls, "_SERVER_LIFE", timedelta(days=29))
    assert not authority.accepts(*_issue(authority, tmp_path, "127.70.1.2"), "127.70.1.2")


def test_a_missing_or_broken_pair_is_not_accepted(tmp_path: Path):
    authority = CertificateAuthority(tmp_path)
    key, certificate = _issue(authority, tmp_path, "127.70.1.2")
    certificate.write_text("cut off")
    assert not authority.accepts(key, certificate, "127.70.1.2")
    key.unlink()
    assert not authority.accepts(key, certificate, "127.70.1.2")


def test_the_bundle_is_one_that_clients_load(tmp_path: Path):
    context = ssl.create_default_context(cafile=str(CertificateAuthority(tmp_path).bundle))
    assert context.cert_store_stats()["x509_ca"] == 1


def test_a_broken_authority_is_made_anew(tmp_path: Path):
    CertificateAuthority(tmp_path).bundle.write_text("cut off")
    authority = CertificateAuthority(tmp_path)
    assert authority.accepts(*_issue(authority, tmp_path, "127.70.1.2"), "127.70.1.2")


def test_a_verifier_belongs_to_one_password():
    assert verifies(VERIFIER, "correct horse")
    assert not verifies(VERIFIER, "correct horse ")


@pytest.mark.parametrize("stored", [None, "", "md5abc", "SCRAM-SHA-256$nonsense", "SCRAM-SHA-256$4096:???$a:b"])
def test_anything_that_is_no_verifier_belongs_to_no_password(stored: str | None):
    assert not verifies(stored, "correct horse")
