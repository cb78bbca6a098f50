"""Inventory of the tools that the platform uses on this machine: version, origin, and the effect of a missing tool."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version as distribution_version
from pathlib import Path
from typing import Any

from mlp.doctor.entry import ON_PATH, Entry
from mlp.extensions import tool_inventories
from mlp.machine.errors import SetUpError
from mlp.machine.tool import first_line, parse_version, words
from mlp.projects.environment import ROOT
from scripts import virtual_environment


def take_inventory(report: Callable[[str], None]) -> list[Entry]:
    """Return one entry for each tool of the platform, and the entries of installed packages.

    An entry of a package replaces the platform's entry of the same name. Nothing is built or installed.

    Args:
        report: called with one line for each cleanup that a package performs.
    """
    entries = {each.name: each for each in (_python(), _requirements(), _pulumi(), _aws(), _git(), _terraform())}
    for inventory in tool_inventories():
        entries |= {each.name: each for each in inventory(report)}
    return list(entries.values())


def as_document(entries: list[Entry]) -> dict[str, Any]:
    """Return the document for `--json`."""
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
        fits = virtual_environment.in_step(ROOT)
    except SetUpError:
        fits = False
    return Entry(
        name="requirements",
        required=True,
        without="packages may be missing, or of other versions than the ones that were tested",
        fix="make environment",
        version="in step" if fits else None,
        problem="not in step",
        path=str(ROOT / ".venv"),
        origin=virtual_environment.REQUIREMENTS,
    )


def _pulumi() -> Entry:
    """Look on PATH only. The engine must not be older than the Pulumi SDK of the program."""
    needed = distribution_version("pulumi")
    entry = Entry(
        name="pulumi",
        required=True,
        without="nothing can be previewed or deployed",
        fix=f"install Pulumi {needed} or newer: https://www.pulumi.com/docs/install/",
    )
    found = _on_path(entry, "pulumi", "version")
    old = found.version is not None and (parse_version(found.version) or ()) < (parse_version(needed) or ())
    return entry if old else found


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
