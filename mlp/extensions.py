"""Extensions of `mlp` by installed packages, through entry points.

An entry point is a line in the `pyproject.toml` of a package that is installed beside the platform:
https://packaging.python.org/en/latest/specifications/entry-points/. The groups:

- `mlp.commands`: a Typer application or a command function; the entry point's name is the command's name.
- `mlp.accounts`: an `Account`, which replaces an AWS account.
- `mlp.schedulers`: a `ControlPlane` for `mlp placement`.
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
# Signature: (scratch folder, report) -> context manager of the path of a kubeconfig. Inside the context an API server
# and a scheduler run; no node is registered.
ControlPlane: TypeAlias = Callable[[Path, Report], AbstractContextManager[Path]]


class Builder(Protocol):
    """Image builder for the clusters of an account."""

    def has(self, reference: str) -> bool:
        """Return whether the clusters can already run an image."""
        ...

    def build(self, reference: str, dockerfile: Path, context: Path) -> None:
        """Build an image so that the clusters can run it."""
        ...


class Account(Protocol):
    """Replacement for an AWS account.

    Attributes:
        title: name of the account for use in a sentence.
        sign_in: shell line that selects the account in a shell.
        start: command that starts the account.
    """

    title: str
    sign_in: str
    start: str

    def is_selected(self) -> bool:
        """Return whether this process uses the account."""
        ...

    def endpoint(self) -> str | None:
        """Return the address of the account's AWS API."""
        ...

    def engine_variables(self, environment: str, root: Path) -> Mapping[str, str]:
        """Return the environment variables that the Pulumi engine needs to deploy an environment in the account."""
        ...

    def image_builder(self, report: Report) -> Builder:
        """Return the image builder for the account's clusters."""
        ...


def installed(group: str) -> dict[str, EntryPoint]:
    """Return the entry points of a group by name."""
    return {each.name: each for each in sorted(entry_points(group=group), key=lambda each: each.name)}


def accounts() -> tuple[Account, ...]:
    """Return the accounts that installed packages offer."""
    return tuple(load(each) for each in installed(ACCOUNTS).values())


def selected_account() -> Account | None:
    """Return the account that this process uses, or None for an AWS account."""
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
            "this environment: in a full clone `make environment` does it, see docs/developing.md"
        )
    return load(found[0])


def tool_inventories() -> tuple[Callable[[Report], list[Any]], ...]:
    """Return the functions that list additional tools for `mlp doctor`."""
    return tuple(load(each) for each in installed(TOOLS).values())


def load(entry: EntryPoint) -> Any:
    """Import and return the object that an entry point refers to.

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
