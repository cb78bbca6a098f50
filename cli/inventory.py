"""Every tool that the platform uses on this machine: what is there, where it came from, what fails without it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as distribution_version
from pathlib import Path
from typing import Any

from cli.inventory_cluster import cluster_entries
from cli.inventory_entry import ON_PATH, Entry
from sandbox.dataplanes.postgres.binaries import installed
from sandbox.instance import PROJECT
from sandbox.toolchain import golang, pulumi
from sandbox.toolchain.tool import first_line, parse_version, words
from tools import virtual_environment
from tools.errors import SetUpError


def take_inventory() -> list[Entry]:
    """Looks only: builds, installs and changes nothing."""
    looks: tuple[Callable[[], Entry], ...] = (
        _python,
        _requirements,
        _pulumi,
        _language_host,
        _go,
        _postgresql,
        _aws,
        _git,
        _terraform,
    )
    return [*(look() for look in looks), *cluster_entries()]


def as_document(entries: list[Entry]) -> dict[str, Any]:
    """For `--json`."""
    return {"ok": not blocking(entries), "tools": [{**asdict(entry), "missing": entry.missing} for entry in entries]}


def blocking(entries: list[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.required and entry.missing]


def _python() -> Entry:
    return Entry(
        name="python",
        required=True,
        without="nothing works",
        fix="install Python 3.11 or newer, then `make environment`",
        version=words(sys.version_info[:3]) if sys.version_info >= (3, 11) else None,
        path=sys.executable,
        origin="virtual environment" if sys.prefix != sys.base_prefix else "the system's",
    )


def _requirements() -> Entry:
    try:
        fits = virtual_environment.in_step(PROJECT)
    except SetUpError:
        fits = False
    return Entry(
        name="requirements",
        required=True,
        without="packages may be missing, or of other versions than the ones that were tested",
        fix="make environment",
        version="in step" if fits else None,
        problem="not in step",
        path=str(PROJECT / ".venv"),
        origin=virtual_environment.REQUIREMENTS,
    )


def _pulumi() -> Entry:
    entry = Entry(
        name="pulumi",
        required=True,
        without="nothing can be previewed or deployed",
        fix=f"mlp setup, or install Pulumi {words(pulumi.required_version())} or newer",
    )
    tool = pulumi.find_pulumi()
    return entry.found(tool.version, str(tool.path), tool.origin) if tool else entry


def _language_host() -> Entry:
    entry = Entry(
        name="language host",
        required=True,
        without="the engine cannot run a Python program",
        fix="make environment",
    )
    official = pulumi.find_official()
    host = pulumi.language_host(official.path) if official else None
    if official and host:
        return entry.found(official.version, str(host), "comes with the official pulumi")
    try:
        return entry.found(distribution_version("pulumi"), "sandbox.engine.language_host", "the pulumi Python package")
    except PackageNotFoundError:
        return entry


def _go() -> Entry:
    minimum = golang.needed_version(pulumi.MODULE / "go.mod")
    entry = Entry(
        name="go",
        required=False,
        without="a tool that has to be built fetches Go from the package index first",
        fix=f"nothing needs to be done; or install Go {words(minimum)} or newer",
    )
    tool = golang.find_go(minimum)
    return entry.found(tool.version, str(tool.path), tool.origin) if tool else entry


def _postgresql() -> Entry:
    entry = Entry(
        name="postgresql",
        required=False,
        without="databases of the sandbox do not run, so `mlp up` cannot finish",
        fix="as root on Debian: mlp setup; else install PostgreSQL with your package manager",
    )
    installs = installed()
    if not installs:
        return entry
    newest = installs[-1]
    said = first_line([newest.bin / "postgres", "--version"])
    version = parse_version(said) if said else None
    origin = "Debian package" if str(newest.bin).startswith("/usr/lib/postgresql/") else ON_PATH
    return entry.found(words(version) if version else str(newest.major), str(newest.bin), origin)


def _aws() -> Entry:
    entry = Entry(
        name="aws",
        required=False,
        without="`aws` commands do not work; deploying does",
        fix="make environment",
    )
    ours = Path(sys.executable).parent / "aws"
    if ours.is_file():
        return entry.found(distribution_version("awscli"), str(ours), "virtual environment")
    return _on_path(entry, "aws", "--version")


def _git() -> Entry:
    entry = Entry(name="git", required=False, without="changes cannot be reviewed against a base", fix="install git")
    return _on_path(entry, "git", "--version")


def _terraform() -> Entry:
    entry = Entry(
        name="terraform",
        required=False,
        without="exported state cannot be validated against the official provider's schema",
        fix="install Terraform, if you want that check",
    )
    return _on_path(entry, "terraform", "version")


def _on_path(entry: Entry, command: str, argument: str) -> Entry:
    path = shutil.which(command)
    said = first_line([path, argument]) if path else None
    version = parse_version(said) if said else None
    return entry.found(words(version), str(path), ON_PATH) if version else entry
