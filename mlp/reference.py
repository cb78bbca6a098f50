"""Markdown reference of the command line: `python -m mlp.reference > docs/cli.md`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import typer
from typer.main import get_command

from mlp.app import make_app

HEAD: Final = """# Commands

`mlp` has the commands of the platform, and after them those that installed packages add. `mlp COMMAND --help` shows the
same text. `python -m mlp.reference > docs/cli.md` writes this page.
"""


def markdown() -> str:
    """Return the page: a table of all commands, then a section for each."""
    root = get_command(make_app())
    commands = [each for each in walk(root, ("mlp",)) if not _is_group(each[1]) or each[1].invoke_without_command]
    rows = [f"| [`{' '.join(path)}`](#{'-'.join(path)}) | {summary(command)} |" for path, command in commands]
    table = "\n".join(["| Command | What it does |", "|---|---|", *rows])
    return "\n".join([HEAD, f"{_text(root.help)}\n", table, *(section(*each) for each in commands)])


def walk(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command below a group with its full name."""
    if not _is_group(command):
        return
    context = typer.Context(command)
    for name in command.list_commands(context):
        child = command.get_command(context, name)
        if child is not None:
            yield (*path, name), child
            yield from walk(child, (*path, name))


def summary(command: Any) -> str:
    """Return the first paragraph of a command's help on one line, for a table."""
    return " ".join(_text(command.help).partition("\n\n")[0].split()).replace("|", "\\|")


def section(path: tuple[str, ...], command: Any) -> str:
    """Return the section of one command: its usage, its help and its options."""
    options = [each for each in command.params if not getattr(each, "hidden", False)]
    arguments = "".join(f" {_argument(each)}" for each in options if _is_argument(each))
    lines = [f"\n## {' '.join(path)}\n", f"```\n{' '.join(path)}{arguments} [OPTIONS]\n```\n", _text(command.help)]
    rows = [_row(each) for each in options if _names(each) != "--help"]
    return "\n".join([*lines, *(["\n| Option | Meaning |", "|---|---|", *rows] if rows else [])])


# Typer bundles a copy of Click, whose classes are private.
def _is_group(command: Any) -> bool:
    return hasattr(command, "list_commands")


def _is_argument(parameter: Any) -> bool:
    return parameter.param_type_name == "argument"


def _argument(parameter: Any) -> str:
    name = str(parameter.name).upper().replace("_", "-")
    return name if parameter.required else f"[{name}]"


def _row(parameter: Any) -> str:
    help_text = " ".join(str(getattr(parameter, "help", None) or "").split()).replace("|", "\\|")
    default: Any = parameter.default
    shown = f" Default: `{default}`." if isinstance(default, (str, int, float)) and default not in ("", False) else ""
    needed = " Required." if parameter.required and not _is_argument(parameter) else ""
    return f"| `{_names(parameter)}` | {help_text}{needed}{shown} |"


def _names(parameter: Any) -> str:
    if _is_argument(parameter):
        return str(parameter.name).upper().replace("_", "-")
    return ", ".join([*parameter.opts, *parameter.secondary_opts])


def _text(text: str | None) -> str:
    return (text or "").strip()


if __name__ == "__main__":
    print(markdown(), end="")
