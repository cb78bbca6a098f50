"""Debian packages: asked for without questions, and no database cluster is made on the side."""

import os
from pathlib import Path

import pytest

from tools import debian
from tools.errors import SetUpError


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for apt-get, whose calls are lines of the file; it fails when asked for `missing`."""
    calls = tmp_path / "calls"
    settings = tmp_path / "postgresql-common" / "createcluster.conf"
    script = f"""#!/bin/sh
echo "$DEBIAN_FRONTEND $* cluster: $(grep -s ^create_main_cluster {settings})" >> {calls}
case "$*" in *missing*) exit 100 ;; esac
"""
    (tmp_path / "apt-get").write_text(script)
    (tmp_path / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(debian, "CREATE_CLUSTER", settings)
    return calls


def quiet(message: str) -> None:
    del message


def test_packages_are_installed_without_questions_and_said_before(apt: Path) -> None:
    said: list[str] = []
    debian.install(["one", "two"], said.append)
    update, install = apt.read_text().splitlines()
    assert "noninteractive" in update
    assert " update " in update
    assert "install -q -y --no-install-recommends one two" in install
    assert said == ["apt-get update (usually 10 s)", "apt-get install one two (usually 30 s)"]


def test_what_apt_cannot_install_is_named(apt: Path) -> None:
    with pytest.raises(SetUpError, match=r"install .* missing` failed with exit code 100"):
        debian.install(["missing"], quiet)


def test_no_apt_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not debian.can_install()
    with pytest.raises(SetUpError, match="apt-get cannot be started"):
        debian.install(["one"], quiet)


def test_the_server_is_installed_while_no_cluster_may_be_made(apt: Path) -> None:
    debian.install_postgresql(quiet)
    installs = [line for line in apt.read_text().splitlines() if " install " in line]
    assert "postgresql-common cluster: " in installs[0]
    assert installs[1].endswith(" postgresql cluster: create_main_cluster = false")


@pytest.mark.parametrize("before", ["", "ssl = on\n#create_main_cluster = true\n"])
def test_the_machines_own_policy_is_put_back(tmp_path: Path, before: str) -> None:
    settings = tmp_path / "createcluster.conf"
    settings.write_text(before)

    def fail() -> None:
        with debian.no_main_cluster(settings):
            assert settings.read_text().splitlines()[-1] == "create_main_cluster = false"
            raise SetUpError("apt failed")

    with pytest.raises(SetUpError, match="apt failed"):
        fail()
    assert settings.read_text() == before
