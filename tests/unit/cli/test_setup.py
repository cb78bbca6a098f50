"""`mlp setup`: the engine is required, PostgreSQL is not."""

import importlib
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.app import make_app
from sandbox.dataplanes.postgres.binaries import PostgresInstall
from sandbox.toolchain import pulumi
from sandbox.toolchain.tool import words
from tests.unit.sandbox.toolchain.programs import fake_pulumi
from tools import debian
from tools.errors import SetUpError

setup = importlib.import_module("cli.setup")
NEEDED = words(pulumi.required_version())
POSTGRESQL = PostgresInstall(major=15, bin=Path("/usr/lib/postgresql/15/bin"))


@pytest.fixture
def installs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[PostgresInstall]:
    """The PostgreSQL installations of a machine that has a Pulumi engine: none at first. apt-get is out of reach."""
    fake_pulumi(tmp_path / "bin", f"v{NEEDED}")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("MLP_CACHE_DIR", str(tmp_path / "cache"))
    found: list[PostgresInstall] = []
    monkeypatch.setattr(setup, "installed", lambda: found)
    monkeypatch.setattr(debian, "install_postgresql", lambda report: pytest.fail("apt-get was called"))
    return found


def run() -> Result:
    return CliRunner().invoke(make_app(), ["setup"], env={"COLUMNS": "200"})


def test_what_is_there_is_left_alone(installs: list[PostgresInstall]) -> None:
    installs.append(POSTGRESQL)
    done = run()
    assert done.exit_code == 0
    assert f"Pulumi {NEEDED}, found on PATH" in done.output
    assert "PostgreSQL" not in done.output


@pytest.mark.parametrize(
    ("is_debian", "advice"), [(True, "as root: apt-get install postgresql"), (False, "with your package manager")]
)
def test_without_postgresql_and_root_it_says_what_to_install_and_goes_on(
    installs: list[PostgresInstall], monkeypatch: pytest.MonkeyPatch, is_debian: bool, advice: str
) -> None:
    monkeypatch.setattr(debian, "can_install", lambda: False)
    monkeypatch.setattr(debian, "is_debian", lambda: is_debian)
    done = run()
    assert done.exit_code == 0
    assert "databases of the emulated account will not run" in done.output
    assert advice in done.output


def test_root_on_debian_gets_postgresql(installs: list[PostgresInstall], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "can_install", lambda: True)
    monkeypatch.setattr(debian, "install_postgresql", lambda report: installs.append(POSTGRESQL))
    done = run()
    assert done.exit_code == 0
    assert "Installing PostgreSQL" in done.output
    assert installs == [POSTGRESQL]


def test_a_failed_installation_of_an_optional_tool_is_told_and_does_not_fail_the_set_up(
    installs: list[PostgresInstall], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(report: object) -> None:
        raise SetUpError("`apt-get update` failed with exit code 100")

    monkeypatch.setattr(debian, "can_install", lambda: True)
    monkeypatch.setattr(debian, "install_postgresql", fail)
    done = run()
    assert done.exit_code == 0
    assert "could not be installed: `apt-get update` failed with exit code 100" in done.output


def test_an_engine_that_can_be_neither_found_nor_built_fails_the_set_up(
    installs: list[PostgresInstall], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installs.append(POSTGRESQL)
    (tmp_path / "bin" / "pulumi").unlink()
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MLP_CACHE_DIR", str(tmp_path / "file"))
    done = run()
    assert done.exit_code == 1
    assert "MLP_CACHE_DIR" in done.output


def test_ctrl_c_ends_with_130(installs: list[PostgresInstall], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(report: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(setup, "ensure_pulumi", interrupt)
    assert run().exit_code == 130
