"""`mlp setup`: the engine and Kubernetes are required; PostgreSQL, real nodes and their images are optional."""

import importlib
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mlp.app import make_app
from mlp.machine import debian
from mlp.machine.errors import SetUpError
from mlp.machine.tool import words
from mlp_sandbox.databases.postgres.binaries import PostgresInstall
from mlp_sandbox.errors import SandboxError
from mlp_sandbox.toolchain import KubernetesTools, pulumi
from sandbox.tests.unit.toolchain.programs import fake_pulumi

setup = importlib.import_module("mlp_sandbox.commands.setup")
NEEDED = words(pulumi.required_version())
KUBERNETES = KubernetesTools(
    version="1.36.3", programs={}, origins={"kube-apiserver": "built from sandbox/toolchain/kubernetes"}
)
POSTGRESQL = PostgresInstall(major=15, bin=Path("/usr/lib/postgresql/15/bin"))


@pytest.fixture
def installs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[PostgresInstall]:
    """Return the list of PostgreSQL installations, empty at first, on a machine with all other parts.

    apt-get is not available.
    """
    fake_pulumi(tmp_path / "bin", f"v{NEEDED}")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("MLP_CACHE_DIR", str(tmp_path / "cache"))
    found: list[PostgresInstall] = []
    monkeypatch.setattr(setup, "installed", lambda: found)
    monkeypatch.setattr(debian, "install_postgresql", lambda report: pytest.fail("apt-get was called"))
    monkeypatch.setattr(debian, "install_programs", lambda packages, report: pytest.fail("apt-get was called"))
    monkeypatch.setattr(setup, "ensure_kubernetes", lambda report: KUBERNETES)
    monkeypatch.setattr(setup, "missing_packages", list[str])
    monkeypatch.setattr(setup, "real_node_problems", list[str])
    monkeypatch.setattr(setup, "ensure_images", lambda report, names: dict.fromkeys(names, "sha256:0"))
    return found


@pytest.fixture
def bare(installs: list[PostgresInstall], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the packages that the machine lacks for real nodes: one. They cannot be installed."""
    installs.append(POSTGRESQL)
    lacks = ["runc"]
    monkeypatch.setattr(setup, "missing_packages", lambda: list(lacks))
    monkeypatch.setattr(setup, "real_node_problems", lambda: [f"not installed: {', '.join(lacks)}"] if lacks else [])
    monkeypatch.setattr(setup, "ensure_images", lambda report, names: pytest.fail("an image was made"))
    monkeypatch.setattr(debian, "can_install", lambda: False)
    return lacks


def run() -> Result:
    return CliRunner().invoke(make_app(), ["setup"], env={"COLUMNS": "200"})


def test_what_is_there_is_left_alone(installs: list[PostgresInstall]) -> None:
    installs.append(POSTGRESQL)
    done = run()
    assert done.exit_code == 0
    assert f"Pulumi {NEEDED}, found on PATH" in done.output
    assert "PostgreSQL" not in done.output
    assert "Kubernetes 1.36.3, built from sandbox/toolchain/kubernetes; 6 of 6 images" in done.output
    assert done.output.count("==>") == 1


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

    installs.append(POSTGRESQL)
    monkeypatch.setattr(setup, "ensure_pulumi", interrupt)
    assert run().exit_code == 130


@pytest.mark.parametrize(
    ("is_debian", "advice"), [(True, "as root: apt-get install runc"), (False, "with your package manager")]
)
def test_without_root_it_says_what_real_nodes_need_and_that_all_are_simulated(
    bare: list[str], monkeypatch: pytest.MonkeyPatch, is_debian: bool, advice: str
) -> None:
    monkeypatch.setattr(debian, "is_debian", lambda: is_debian)
    done = run()
    assert done.exit_code == 0
    assert "simulated nodes only: no containers run, and no logs or exec (not installed: runc)" in done.output
    assert advice in done.output
    assert "no images, so simulated nodes only" in done.output


def test_a_user_with_all_packages_is_told_to_be_root(bare: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    bare.clear()
    monkeypatch.setattr(setup, "real_node_problems", lambda: ["not root"])
    done = run()
    assert done.exit_code == 0
    assert "(not root). Start the sandbox as root for real nodes." in done.output


def test_root_on_debian_gets_what_is_missing_and_nothing_else(bare: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def install(packages: list[str], report: object) -> None:
        asked.append(packages)
        bare.clear()

    monkeypatch.setattr(debian, "can_install", lambda: True)
    monkeypatch.setattr(debian, "install_programs", install)
    monkeypatch.setattr(setup, "ensure_images", lambda report, names: dict.fromkeys(names, "sha256:0"))
    done = run()
    assert done.exit_code == 0
    assert asked == [["runc"]]
    assert "no service of it is started" in done.output
    assert "simulated" not in done.output


def test_packages_that_cannot_be_installed_are_told_and_do_not_fail_the_set_up(
    bare: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(packages: object, report: object) -> None:
        raise SetUpError("`apt-get update` failed with exit code 100")

    monkeypatch.setattr(debian, "can_install", lambda: True)
    monkeypatch.setattr(debian, "install_programs", fail)
    done = run()
    assert done.exit_code == 0
    assert "simulated nodes only" in done.output
    assert "could not be installed: `apt-get update` failed with exit code 100" in done.output


def test_an_image_that_fails_is_told_and_the_others_are_made(
    installs: list[PostgresInstall], monkeypatch: pytest.MonkeyPatch
) -> None:
    def ensure(report: object, names: list[str]) -> dict[str, str]:
        if names == ["python"]:
            raise SandboxError("`debootstrap` failed with exit code 1")
        return dict.fromkeys(names, "sha256:0")

    installs.append(POSTGRESQL)
    monkeypatch.setattr(setup, "ensure_images", ensure)
    done = run()
    assert done.exit_code == 0
    assert "The image docker.io/library/python:3.11-slim could not be made" in done.output
    assert "5 of 6 images" in done.output


def test_kubernetes_that_cannot_be_built_fails_the_set_up(
    installs: list[PostgresInstall], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(report: object) -> None:
        raise SandboxError("`go build -v` failed with exit code 1")

    installs.append(POSTGRESQL)
    monkeypatch.setattr(setup, "ensure_kubernetes", fail)
    done = run()
    assert done.exit_code == 1
    assert "`go build -v` failed" in done.output
