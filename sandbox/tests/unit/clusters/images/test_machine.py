"""Package sources of the machine, in use during an image build."""

from pathlib import Path

import pytest

from mlp_sandbox.clusters.images import machine
from mlp_sandbox.clusters.images.machine import build_options, parse_index_targets, pip_configuration


def test_pips_files_and_folders_are_mounted_where_its_configuration_says(tmp_path: Path) -> None:
    certificate, wheels = tmp_path / "ca.pem", tmp_path / "wheels"
    certificate.write_text("")
    wheels.mkdir()
    mounts: dict[Path, str] = {}
    found = pip_configuration(
        {
            "index-url": "https://user:p%40ss@index.example/simple",
            "cert": str(certificate),
            "find-links": f"https://links.example/ {wheels} {tmp_path / 'nowhere'}",
        },
        mounts,
    )
    assert dict(found["global"]) == {
        "index-url": "https://user:p%40ss@index.example/simple",
        "cert": "/run/pip/cert.pem",
        "find-links": "https://links.example/\n/run/pip/links-1",
    }
    assert mounts == {certificate: "/run/pip/cert.pem", wheels: "/run/pip/links-1"}


def test_a_file_that_is_mounted_already_is_named_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("")
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    monkeypatch.setattr(machine, "read_pip_configuration", lambda python: {"cert": str(bundle)})
    options = build_options(tmp_path)
    assert options == [
        *("--volume", f"{bundle}:/etc/ssl/certs/ca-certificates.crt:ro"),
        *("--volume", f"{tmp_path / 'pip.conf'}:/etc/pip.conf:ro"),
    ]
    assert "cert = /etc/ssl/certs/ca-certificates.crt" in (tmp_path / "pip.conf").read_text()


LISTING = """Debian|http://mirror.example/debian-security/|bookworm-security|main
Debian|http://mirror.example/debian/|bookworm|main
Debian|http://mirror.example/debian/|bookworm|contrib
Debian|http://mirror.example/debian/|trixie|main
Debian|http://mirror.example/debian/|bookworm|main
Someone|https://apt.example/|bookworm|main
|https://unread.example/|bookworm|main

broken
"""


def test_the_machines_own_sources_of_the_release_are_used() -> None:
    assert parse_index_targets(LISTING, "bookworm") == [
        "deb http://mirror.example/debian bookworm main",
        "deb http://mirror.example/debian-security bookworm-security main",
    ]
    assert parse_index_targets(LISTING, "sid") == []


def test_a_machine_without_apt_has_no_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine.debian_sources("bookworm") == []
