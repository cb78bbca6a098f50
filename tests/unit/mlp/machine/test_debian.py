"""Debian packages: installed without questions and without creating a database cluster."""

import os
from pathlib import Path

import pytest

from mlp.machine import debian, debian_services
from mlp.machine.errors import SetUpError


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file with the calls of a stub of apt-get, one a line; it fails for the package `missing`."""
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


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Set up service folders that contain only `old`, which starts at boot; apt-get installs the service `new`.

    The commands are lines of the file `calls`.
    """
    policy, scripts, units = tmp_path / "policy-rc.d", tmp_path / "init.d", tmp_path / "systemd"
    for name, folder in (("POLICY", policy), ("INIT_SCRIPTS", scripts), ("UNITS", units)):
        monkeypatch.setattr(debian_services, name, folder)
    scripts.mkdir()
    (units / "multi-user.target.wants").mkdir(parents=True)
    (scripts / "old").write_text("")
    (units / "multi-user.target.wants" / "old.service").write_text("")
    install = f"""{policy} new start; echo "starting: $?" >> {tmp_path / "calls"}
touch {scripts}/new {units}/multi-user.target.wants/new.service
case "$*" in *missing*) exit 100 ;; esac"""
    for name, body in (("apt-get", install), ("update-rc.d", ""), ("deb-systemd-helper", "")):
        (tmp_path / name).write_text(f'#!/bin/sh\necho "{name} $*" >> {tmp_path / "calls"}\n{body}\n')
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    return tmp_path


def test_services_of_programs_neither_start_nor_are_enabled(services: Path) -> None:
    debian.install_programs(["new"], quiet)
    calls = (services / "calls").read_text().splitlines()
    assert [call for call in calls if call.startswith("starting")] == ["starting: 101"] * 2
    assert calls[-2:] == ["update-rc.d new disable", "deb-systemd-helper disable new.service"]
    assert not list(services.glob("policy-rc.d*"))


@pytest.mark.parametrize("package", ["new", "missing"])
def test_the_machines_own_policy_for_services_is_put_back(services: Path, package: str) -> None:
    own = services / "policy-rc.d"
    own.write_text("#!/bin/sh\nexit 0\n")
    own.chmod(0o700)
    try:
        debian.install_programs([package], quiet)
    except SetUpError:
        assert package == "missing"
    assert "starting: 101" in (services / "calls").read_text()
    assert own.read_text() == "#!/bin/sh\nexit 0\n"
    assert own.stat().st_mode & 0o777 == 0o700
    assert len(list(services.glob("policy-rc.d*"))) == 1


@pytest.mark.parametrize("had_one", [True, False])
def test_a_policy_that_a_killed_set_up_left_is_mended_by_the_next(services: Path, had_one: bool) -> None:
    (services / "policy-rc.d").write_text(debian_services.FORBIDS)
    if had_one:
        (services / "policy-rc.d.before-ml-platform").write_text("the machine's own")
    debian.install_programs(["new"], quiet)
    left = {path.name: path.read_text() for path in services.glob("policy-rc.d*")}
    assert left == ({"policy-rc.d": "the machine's own"} if had_one else {})


def test_services_are_disabled_also_when_a_later_package_fails(services: Path) -> None:
    with pytest.raises(SetUpError, match="failed with exit code 100"):
        debian.install_programs(["new", "missing"], quiet)
    assert "deb-systemd-helper disable new.service" in (services / "calls").read_text()
