"""Environments of this repository, one stack file each, and the command options that select them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from mlp.console import PlainError

ROOT: Final = Path(__file__).resolve().parents[1]
"""Root folder of the repository."""
STACKS: Final = ROOT / "stacks"
"""Folder of the stack files, as in Pulumi.yaml (stackConfigDir)."""
PROGRAM: Final = "ml-platform"
"""Name of the program in Pulumi.yaml, the prefix of every name of an environment."""
SETTINGS_KEY: Final = f"{PROGRAM}:platform"
"""Key of the settings in the `config` of a stack file."""

Env = Annotated[str, typer.Option("--env", "-e", help="Environment: one of the files stacks/Pulumi.<env>.yaml.")]
Environments = Annotated[
    list[str] | None,
    typer.Option(
        "--env",
        "-e",
        help="Environment: one of the files stacks/Pulumi.<env>.yaml. Can be repeated. All when not given.",
    ),
]


def stack_file(name: str, folder: Path = STACKS) -> Path:
    """Return the path of an environment's stack file; the file need not exist.

    https://www.pulumi.com/docs/iac/concepts/projects/#stack-settings-file
    """
    return folder / f"Pulumi.{name}.yaml"


def known_environments(wanted: Sequence[str] | None = None, folder: Path = STACKS) -> list[str]:
    """Return the environments that a command applies to.

    Args:
        wanted: names from `--env`. None and an empty list mean all environments.
        folder: folder of the stack files.

    Raises:
        PlainError: a name has no stack file.
    """
    names = sorted(path.name.split(".")[1] for path in folder.glob(stack_file("*").name))
    for name in wanted or ():
        if name not in names:
            raise PlainError(f"--env {name!r}: there is no such stack file; there are {', '.join(names) or 'none'}")
    return list(wanted or names)
