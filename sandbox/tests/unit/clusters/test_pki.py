"""Certificates of a cluster."""

import ipaddress
import stat
from pathlib import Path

import pytest
import time_machine
from cryptography import x509

from mlp_sandbox.clusters.control_plane.pki import CertificateAuthority, token_key, token_public_key
from mlp_sandbox.clusters.model import Certificate

NAMES = ["kubernetes.default.svc", "198.18.1.2"]


def load(paths: Certificate) -> x509.Certificate:
    return x509.load_pem_x509_certificate(paths.certificate.read_bytes())


@pytest.fixture
def authority(tmp_path: Path) -> CertificateAuthority:
    return CertificateAuthority(tmp_path, "ca", "kubernetes test")


def test_the_authority_and_its_certificates_stay_the_same_from_run_to_run(
    tmp_path: Path, authority: CertificateAuthority
):
    first = load(authority.server("apiserver", NAMES, "apiserver"))
    again = CertificateAuthority(tmp_path, "ca", "kubernetes test")
    assert again.pem == authority.pem
    assert load(again.server("apiserver", list(reversed(NAMES)), "apiserver")) == first


def test_a_servers_certificate_holds_names_and_addresses_and_is_made_anew_for_others(authority: CertificateAuthority):
    first = load(authority.server("apiserver", NAMES, "apiserver"))
    names = first.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address("198.18.1.2")]
    assert names.get_values_for_type(x509.DNSName) == ["kubernetes.default.svc"]
    assert load(authority.server("apiserver", [*NAMES, "198.18.9.2"], "apiserver")) != first


def test_certificates_are_renewed_before_they_end(authority: CertificateAuthority):
    first = load(authority.client("admin", ("system:masters",), "admin"))
    with time_machine.travel(first.not_valid_after_utc.timestamp() - 20 * 86400, tick=False):
        assert load(authority.client("admin", ("system:masters",), "admin")) != first


def test_a_certificate_of_another_authority_or_for_another_name_is_replaced(
    tmp_path: Path, authority: CertificateAuthority
):
    first = load(authority.client("admin", (), "admin"))
    assert load(authority.client("other", (), "admin")).subject != first.subject
    (tmp_path / "ca.key").unlink()
    fresh = CertificateAuthority(tmp_path, "ca", "kubernetes test")
    load(fresh.client("other", (), "admin")).verify_directly_issued_by(
        x509.load_pem_x509_certificate(fresh.pem.encode())
    )


def test_organisations_become_groups(authority: CertificateAuthority):
    made = load(authority.client("system:node:a", ("system:nodes",), "node"))
    assert made.subject.rfc4514_string() == "CN=system:node:a,O=system:nodes"


def test_private_keys_are_for_the_owner_alone(tmp_path: Path, authority: CertificateAuthority):
    keys = [authority.client("admin", (), "admin").key, tmp_path / "ca.key", token_key(tmp_path)]
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys} == {0o600}


def test_the_key_of_tokens_is_kept_and_its_public_half_comes_back(tmp_path: Path):
    key = token_key(tmp_path).read_bytes()
    public = token_public_key(tmp_path).read_bytes()
    token_public_key(tmp_path).unlink()
    assert token_key(tmp_path).read_bytes() == key
    assert token_public_key(tmp_path).read_bytes() == public
