"""`.venv`: up to date, updated, and recreated after an interruption. Nothing is really installed."""

import fcntl
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from mlp.machine import debian
from mlp.machine.errors import SetUpError
from scripts import virtual_environment

REQUIREMENTS = "rich==15.0.0 \\\n    --hash=sha256:aa\nuv==0.13.9 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\n"


INSTALL_EDITABLE = virtual_environment._install_editable


class Machine:
    """Stub that records changes of the environment; it raises `broken` instead of installing."""

    def __init__(self, root: Path) -> None:
        self.root, self.venv = root, root / ".venv"
        self.done: list[str] = []
        self.broken: BaseException | None = None

    def make(self, venv: Path) -> None:
        self.done.append("make")
        (venv / "bin").mkdir(parents=True, exist_ok=True)
        (venv / "lib" / "python3.11" / "site-packages").mkdir(parents=True, exist_ok=True)
        (venv / "bin" / "python").unlink(missing_ok=True)
        (venv / "bin" / "python").symlink_to(sys.executable)
        (venv / "bin" / "pip").touch()

    def install(self, root: Path, venv: Path) -> None:
        del root, venv
        self.done.append("install")
        if self.broken is not None:
            raise self.broken

    def install_editable(self, root: Path, venv: Path) -> None:
        """Create the command as an installer would."""
        del root
        (venv / "bin" / "mlp").touch()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    (tmp_path / "requirements-dev.txt").write_text(REQUIREMENTS)
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    machine = Machine(tmp_path)
    monkeypatch.setattr(virtual_environment, "_make", machine.make)
    monkeypatch.setattr(virtual_environment, "_install", machine.install)
    monkeypatch.setattr(virtual_environment, "_install_editable", machine.install_editable)
    return machine


def run(machine: Machine) -> int:
    return virtual_environment.main(str(machine.root))


def test_the_second_run_does_nothing(machine: Machine) -> None:
    assert run(machine) == 0
    assert run(machine) == 0
    assert machine.done == ["make", "install"]


def test_changed_requirements_are_installed_into_the_same_environment(machine: Machine) -> None:
    run(machine)
    (machine.root / "requirements-dev.txt").write_text(REQUIREMENTS + "six==1 --hash=sha256:dd\n")
    assert not virtual_environment.in_step(machine.root)
    assert run(machine) == 0
    assert machine.done == ["make", "install", "install"]


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), SetUpError("no network"), OSError(28, "full")])
def test_an_interrupted_run_is_begun_anew(machine: Machine, failure: BaseException) -> None:
    machine.broken = failure
    assert run(machine) == (130 if isinstance(failure, KeyboardInterrupt) else 1)
    assert not virtual_environment.in_step(machine.root)
    machine.broken = None
    assert run(machine) == 0
    assert machine.done == ["make", "install", "make", "install"]


@pytest.mark.parametrize("damage", ["interpreter", "mlp", "stamp"])
def test_what_was_taken_away_is_put_back(machine: Machine, damage: str) -> None:
    run(machine)
    {
        "interpreter": machine.venv / "bin" / "python",
        "mlp": machine.venv / "bin" / "mlp",
        "stamp": virtual_environment.stamp_file(machine.venv),
    }[damage].unlink()
    assert run(machine) == 0
    assert virtual_environment.in_step(machine.root)
    assert machine.done[2:] == (["make", "install"] if damage == "interpreter" else ["install"])


def test_a_clone_that_was_moved_is_not_in_step(machine: Machine, tmp_path: Path) -> None:
    run(machine)
    moved = tmp_path.with_name(f"{tmp_path.name}-moved")
    tmp_path.rename(moved)
    assert not virtual_environment.in_step(moved)


def test_packages_of_the_clone_are_installed_where_they_lie(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[list[str]] = []

    def run_command(command: Sequence[str | Path], what: str, venv: Path) -> None:
        del what, venv
        called.append([str(word) for word in command])

    monkeypatch.setattr(virtual_environment, "_run", run_command)
    platform_alone = called_with(machine, called)
    (machine.root / "sandbox").mkdir()
    (machine.root / "sandbox" / "pyproject.toml").write_text("[project]\n")
    both = called_with(machine, called)
    assert platform_alone[-2:] == ["-e", str(machine.root)]
    assert both[-4:] == ["-e", str(machine.root), "-e", str(machine.root / "sandbox")]
    assert {"--no-deps", "--no-build-isolation", "--no-index"} <= set(both)


def called_with(machine: Machine, called: list[list[str]]) -> list[str]:
    INSTALL_EDITABLE(machine.root, machine.venv)
    return called.pop()


@pytest.mark.parametrize("file", ["pyproject.toml", "sandbox/pyproject.toml"])
def test_a_changed_entry_point_is_installed(machine: Machine, file: str) -> None:
    run(machine)
    (machine.root / file).parent.mkdir(exist_ok=True)
    (machine.root / file).write_text("[project.entry-points]\n")
    assert not virtual_environment.in_step(machine.root)
    assert run(machine) == 0
    assert virtual_environment.in_step(machine.root)


def test_a_file_in_the_place_of_the_environment_is_named(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.venv.write_text("")
    assert run(machine) == 1
    assert f"error: {machine.venv} is not a folder" in capsys.readouterr().err


def test_missing_requirements_are_named(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    (machine.root / "requirements-dev.txt").unlink()
    assert run(machine) == 1
    assert "requirements-dev.txt is missing" in capsys.readouterr().err


def test_too_little_room_is_said_before_anything_is_made(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(virtual_environment.shutil, "disk_usage", lambda path: SimpleNamespace(free=200_000_000))
    assert run(machine) == 1
    assert "has 0.2 GB free and the environment needs 1.5 GB" in capsys.readouterr().err
    assert machine.done == []


@pytest.mark.parametrize(
    ("code", "words"), [(28, "the disk is full"), (30, "the file system is read-only"), (13, "no permission")]
)
def test_a_disk_that_takes_nothing_is_one_line(
    machine: Machine, capsys: pytest.CaptureFixture[str], code: int, words: str
) -> None:
    machine.broken = OSError(code, os.strerror(code), str(machine.venv / "lib"))
    assert run(machine) == 1
    error = capsys.readouterr().err
    assert words in error
    assert str(machine.venv / "lib") in error
    assert error.count("\n") == 1


def test_a_second_run_at_the_same_time_waits(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    folder = os.open(machine.root, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    codes: list[int] = []
    second = threading.Thread(target=lambda: codes.append(run(machine)))
    second.start()
    second.join(0.5)
    assert second.is_alive()
    assert machine.done == []
    os.close(folder)
    second.join(10)
    assert codes == [0]
    assert "waiting for it" in capsys.readouterr().out


def test_the_installer_is_pinned_with_all_its_hashes() -> None:
    assert virtual_environment.pinned(REQUIREMENTS, "uv") == REQUIREMENTS[REQUIREMENTS.index("uv==") :]


def test_requirements_without_the_installer_are_named() -> None:
    with pytest.raises(SetUpError, match="does not pin uv; compile it anew: make requirements"):
        virtual_environment.pinned("rich==15.0.0 --hash=sha256:aa\n", "uv")


def test_a_python_without_ensurepip_is_named_where_it_cannot_be_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(virtual_environment, "find_spec", lambda name: None)
    monkeypatch.setattr(debian, "can_install", lambda: False)
    with pytest.raises(SetUpError, match=r"no ensurepip.*install python3\.\d+-venv"):
        virtual_environment._make(tmp_path / ".venv")
