"""`mlp setup`: what no Python package brings - the Pulumi engine and PostgreSQL - found, built or installed."""

from __future__ import annotations

import time

import typer
from rich.console import Console

from cli.sandbox import plain_errors
from sandbox.dataplanes.postgres.binaries import installed
from sandbox.toolchain import ensure_pulumi
from tools import debian
from tools.errors import SetUpError

console = Console()


def register(root: typer.Typer) -> None:
    root.command()(setup)


def setup() -> None:
    """Get the tools that no Python package brings. Runs again at any time: what is there is left alone.

    The Pulumi engine: an official `pulumi` on PATH is used when its version fits, else it is built once from source
    into MLP_CACHE_DIR (~/.cache/ml-platform; usually 4 to 8 minutes). PostgreSQL: installed with apt-get on Debian as
    root, else said what to install. Exit codes: 0 done, 1 no Pulumi engine, 130 interrupted.
    """
    with plain_errors():
        started = time.monotonic()
        pulumi = ensure_pulumi(_report)
        ensure_postgresql()
        _report(f"Tools: Pulumi {pulumi.version}, {pulumi.origin} ({time.monotonic() - started:.1f} s)")


def ensure_postgresql() -> bool:
    """Whether it is there in the end. It is optional: without it, only databases do not run."""
    if installed():
        return True
    problem = "PostgreSQL is not installed: databases of the emulated account will not run."
    if not debian.can_install():
        how = "as root: apt-get install postgresql" if debian.is_debian() else "with your package manager"
        _report(f"{problem} Install it {how}; everything else works without it.")
        return False
    try:
        _report("Installing PostgreSQL, which databases of the emulated account run on")
        debian.install_postgresql(_report)
    except (SetUpError, OSError) as error:
        _report(f"{problem} It could not be installed: {error}")
    return bool(installed())


def _report(message: str) -> None:
    console.print(f"==> {message}", highlight=False, markup=False, soft_wrap=True)
