"""What installed packages add to `mlp`, by entry points.

An entry point is a line in the `pyproject.toml` of a package that is installed beside the platform:
https://packaging.python.org/en/latest/specifications/entry-points/. The groups:

- `mlp.commands`: a Typer application or a command function; the entry point's name is the command's name.
- `mlp.accounts`: an `Account`, which stands in for an account on AWS.
- `mlp.schedulers`: a `ControlPlane`, which `mlp placement` asks.
- `mlp.tools`: a function `(report) -> list[Entry]`, whose entries `mlp doctor` shows beside its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

from mlp.console import PlainError

COMMANDS: Final = "mlp.commands"
ACCOUNTS: Final = "mlp.accounts"
SCHEDULERS: Final = "mlp.schedulers"
TOOLS: Final = "mlp.tools"

Report: TypeAlias = Callable[[str], None]
# (scratch folder, report) -> context manager of the path of a kubeconfig. An API server and a scheduler run inside of
# the context; no node is registered.
ControlPlane: TypeAlias = Callable[[Path, Report], AbstractContextManager[Path]]


class Builder(Protocol):
    """Build images for the clusters of an account."""

    def has(self, reference: str) -> bool:
        """Return whether the clusters can run an image already."""
        ...

    def build(self, reference: str, dockerfile: Path, context: Path) -> None:
        """Build an image so that the clusters can run it."""
        ...


class Account(Protocol):
    """An account that stands in for one on AWS.

    Attributes:
        title: the account's name in a sentence.
        sign_in: the shell line that sets a shell to the account.
        start: the command that starts the account.
    """

    title: str
    sign_in: str
    start: str

    def is_selected(self) -> bool:
        """Return whether this process is set to the account."""
        ...

    def endpoint(self) -> str | None:
        """Return the address of the account's AWS API."""
        ...

    def engine_variables(self, environment: str, root: Path) -> Mapping[str, str]:
        """Return the variables that the Pulumi engine needs to work on an environment in the account."""
        ...

    def image_builder(self, report: Report) -> Builder:
        """Return what builds images for the account's clusters."""
        ...


def installed(group: str) -> dict[str, EntryPoint]:
    """Return the entry points of a group by name."""
    return {each.name: each for each in sorted(entry_points(group=group), key=lambda each: each.name)}


def accounts() -> tuple[Account, ...]:
    """Return the accounts that installed packages offer."""
    return tuple(load(each) for each in installed(ACCOUNTS).values())


def selected_account() -> Account | None:
    """Return the account that this process is set to, or None where that is an account on AWS."""
    return next((each for each in accounts() if each.is_selected()), None)


def control_plane() -> ControlPlane:
    """Return the first scheduler that an installed package offers.

    Raises:
        PlainError: no package offers one.
    """
    found = list(installed(SCHEDULERS).values())
    if not found:
        raise PlainError(
            f"no installed package offers a Kubernetes scheduler (entry points of {SCHEDULERS}); install one into "
            "this environment: in a full clone `make environment` does it, see docs/cli.md"
        )
    return load(found[0])


def tool_inventories() -> tuple[Callable[[Report], list[Any]], ...]:
    """Return the functions that list further tools for `mlp doctor`."""
    return tuple(load(each) for each in installed(TOOLS).values())


def load(entry: EntryPoint) -> Any:
    """Return what an entry point refers to.

    Raises:
        PlainError: its module or its attribute cannot be imported.
    """
    try:
        return entry.load()
    except (ImportError, AttributeError) as error:
        raise PlainError(
            f"the entry point {entry.name} of {entry.group} cannot be loaded from {entry.value}: {error}; "
            "install its package again, or remove it"
        ) from error
