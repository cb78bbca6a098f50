"""Output of the commands for projects: numbers, times and tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from mlp.console import console

_PIPE_WIDTH: Final = 200


def number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def moment(value: datetime | None) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if value else "-"


def from_milliseconds(value: int | None) -> datetime | None:
    """Convert a time of MLflow in milliseconds."""
    return datetime.fromtimestamp(value / 1000, UTC) if value else None


def from_kubernetes(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def short(digest: str | None) -> str | None:
    """Return the start of a digest, enough to distinguish digests; --json has the whole digest."""
    return digest[:8] if digest else None


def duration(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def print_json(document: Any) -> None:
    print(json.dumps(document, indent=2, default=str))


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table. Cells are printed as plain text, None as a dash."""
    # The first column is never wrapped, because people copy its values.
    headings = (Column(name, overflow="fold", no_wrap=place == 0) for place, name in enumerate(columns))
    # A title wider than its table would be wrapped.
    table = Table(*headings, title=escape(title), title_justify="left", min_width=cell_len(title))
    for row in rows:
        table.add_row(*("-" if cell is None else escape(str(cell)) for cell in row))
    # A pipe has no width, and wrapped lines are hard to process.
    (console if console.is_terminal else Console(width=_PIPE_WIDTH, file=console.file, emoji=False)).print(table)


def tell(message: str) -> None:
    console.print(message, highlight=False, markup=False, soft_wrap=True)
