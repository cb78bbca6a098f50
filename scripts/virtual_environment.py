"""Setup of a clone's `.venv`: create it, install requirements-dev.txt (packages pinned by hash), keep it up to date.

Standard library only: it runs before anything is installed. A stamp with the hash of the inputs makes a second run
short. The stamp is "unfinished" during the installation, so that an interrupted run starts again.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

from mlp.machine import debian
from mlp.machine.errors import SetUpError
from mlp.machine.pip_configuration import read_pip_configuration, uv_arguments, uv_variables

REQUIREMENTS = "requirements-dev.txt"
PROJECT_FILE = "pyproject.toml"
NEEDED_BYTES = 1_500_000_000
UNFINISHED = "unfinished"


def main(root: str) -> int:
    """Return 0 if `.venv` is up to date, 1 with one line of error otherwise, 130 if interrupted."""
    try:
        bring_in_step(Path(root))
    except SetUpError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {describe(error, Path(root) / '.venv')}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the next run begins the environment anew", file=sys.stderr)
        return 130
    return 0


def bring_in_step(root: Path) -> None:
    venv = root / ".venv"
    if in_step(root):
        return
    if venv.exists() and not venv.is_dir():
        raise SetUpError(f"{venv} is not a folder, and the virtual environment has to be there; delete it")
    with locked(root):
        if in_step(root):
            return
        started = time.monotonic()
        if read_stamp(venv) == UNFINISHED or not runs(venv):
            _require_room(root)
            say("Making the virtual environment .venv (usually 5 s)")
            _make(venv)
        write_atomically(stamp_file(venv), UNFINISHED)
        _install(root, venv)
        _install_editable(root, venv)
        write_atomically(stamp_file(venv), expected_stamp(root))
        say(f"The environment is ready after {time.monotonic() - started:.0f} s")


def in_step(root: Path) -> bool:
    """Return whether `.venv` is up to date: the stamp matches, and the interpreter still runs."""
    venv = root / ".venv"
    return read_stamp(venv) == expected_stamp(root) and (venv / "bin" / "mlp").is_file() and runs(venv)


def expected_stamp(root: Path) -> str:
    """Return a hash that changes with the requirements, with this script, and when the clone is moved."""
    digest = hashlib.sha256(str(root).encode())
    for path in (root / REQUIREMENTS, Path(__file__), *(folder / PROJECT_FILE for folder in projects(root))):
        try:
            digest.update(path.read_bytes())
        except FileNotFoundError as error:
            raise SetUpError(f"{path} is missing; restore it: git checkout -- {path.name}") from error
    return digest.hexdigest()


def projects(root: Path) -> list[Path]:
    """Return the folders of the packages in a clone: the platform, and the packages in its subfolders."""
    return [file.parent for file in (root / PROJECT_FILE, *sorted(root.glob(f"*/{PROJECT_FILE}"))) if file.is_file()]


def stamp_file(venv: Path) -> Path:
    return venv / "in-step-with"


def read_stamp(venv: Path) -> str | None:
    try:
        return stamp_file(venv).read_text().strip()
    except OSError:
        return None


def runs(venv: Path) -> bool:
    """Return whether the environment's interpreter starts and pip is installed.

    It does not start after an upgrade or removal of the system's Python.
    """
    try:
        done = subprocess.run([venv / "bin" / "python", "-S", "-c", ""], capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0 and (venv / "bin" / "pip").is_file()


def pinned(requirements: str, package: str) -> str:
    """Return the lines of one package in a compiled requirements file: version, marker and hashes."""
    lines = requirements.splitlines()
    for number, line in enumerate(lines):
        if line.startswith(f"{package}=="):
            end = number + 1
            while lines[end - 1].endswith("\\"):
                end += 1
            return "\n".join(lines[number:end]) + "\n"
    raise SetUpError(f"{REQUIREMENTS} does not pin {package}; compile it anew: make requirements")


def describe(error: OSError, where: Path) -> str:
    reasons = {
        errno.ENOSPC: "the disk is full; make room there",
        errno.EDQUOT: "the disk quota is used up; make room there",
        errno.EROFS: "the file system is read-only; clone to a folder that can be written",
        errno.EACCES: "no permission to write there; clone to a folder of your own",
        errno.EPERM: "no permission to write there; clone to a folder of your own",
    }
    reason = reasons.get(error.errno or 0, error.strerror or str(error))
    return f"cannot set up {error.filename or where}: {reason}"


def say(message: str) -> None:
    print(f"==> {message}", flush=True)


def write_atomically(path: Path, content: str) -> None:
    temporary = path.with_name(f"{path.name}.new")
    temporary.write_text(content + "\n")
    temporary.replace(path)


@contextmanager
def locked(root: Path) -> Generator[None]:
    """Hold a lock on the clone, so that only one setup runs.

    The kernel releases it when the process ends, however it ends.
    """
    folder = os.open(root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another set-up of this clone is at work; waiting for it")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _require_room(root: Path) -> None:
    free = shutil.disk_usage(root).free
    if free < NEEDED_BYTES:
        needed = f"the environment needs {NEEDED_BYTES / 1e9:.1f} GB"
        raise SetUpError(f"{root} has {free / 1e9:.1f} GB free and {needed}; make room there")


def _make(venv: Path) -> None:
    if find_spec("ensurepip") is None:
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        if not debian.can_install():
            raise SetUpError(f"this Python has no ensurepip, so it makes no virtual environments: install {package}")
        debian.install([package], say)
    # Inside an activated environment, `sys.executable` is the interpreter that is about to be replaced.
    python: str = getattr(sys, "_base_executable", "") or sys.executable
    _run([python, "-m", "venv", "--clear", str(venv)], f"making {venv}", venv)


def _install(root: Path, venv: Path) -> None:
    python = venv / "bin" / "python"
    requirements = (root / REQUIREMENTS).read_text()
    say("Installing uv, the package installer (25 MB, usually 5 s)")
    with tempfile.NamedTemporaryFile("w", suffix=".txt", dir=venv) as file:
        file.write(pinned(requirements, "uv"))
        file.flush()
        arguments = ["--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps", "-r", file.name]
        _run([python, "-m", "pip", "install", *arguments], "installing uv", venv)
    count = sum(1 for line in requirements.splitlines() if "==" in line and not line.startswith((" ", "#")))
    say(f"Installing {count} packages (400 MB; usually 1 to 2 minutes, 10 s when they are in uv's cache)")
    pip = read_pip_configuration(python)
    environment = {**os.environ, **uv_variables(pip, os.environ), **link_mode(venv)}
    command = [venv / "bin" / "uv", "pip", "install", "--python", python, "--require-hashes", *uv_arguments(pip)]
    _run([*command, "-r", root / REQUIREMENTS], f"installing {REQUIREMENTS}", venv, environment)


def link_mode(venv: Path) -> dict[str, str]:
    """Return the variable that makes uv copy files if its cache is on another file system.

    uv links files from its cache. Between two file systems it can only copy, and warns unless this is set.
    """
    if os.environ.get("UV_LINK_MODE"):
        return {}
    done = subprocess.run([venv / "bin" / "uv", "cache", "dir"], capture_output=True, text=True, check=False)
    cache = Path(done.stdout.strip() or ".")
    with suppress(OSError):
        cache.mkdir(parents=True, exist_ok=True)
        if cache.stat().st_dev == venv.stat().st_dev:
            return {}
    return {"UV_LINK_MODE": "copy"}


def _install_editable(root: Path, venv: Path) -> None:
    """Install the packages of the clone in editable mode."""
    say("Installing the platform itself (usually 5 s)")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    folders = [argument for folder in projects(root) for argument in ("-e", folder)]
    command = [venv / "bin" / "uv", "pip", "install", "--python", venv / "bin" / "python", *options, *folders]
    _run(command, "installing the platform itself", venv)


def _run(command: Sequence[str | Path], what: str, venv: Path, environment: dict[str, str] | None = None) -> None:
    """Run a command and show its output, including progress.

    Raises:
        SetUpError: the command failed; the message mentions a full or read-only disk.
    """
    code = subprocess.run(list(command), env=environment, check=False).returncode
    if code == 0:
        return
    if venv.is_dir():
        free = shutil.disk_usage(venv).free
        if free < 50_000_000:
            raise SetUpError(f"{what} failed: {venv} has only {free / 1e6:.0f} MB free; make room there")
        if not os.access(venv, os.W_OK):
            raise SetUpError(f"{what} failed: {venv} cannot be written; clone to a folder of your own")
    raise SetUpError(f"{what} failed with exit code {code}, as said above; the same command goes on where it stopped")
