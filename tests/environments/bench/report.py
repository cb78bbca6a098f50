"""Results as a table for people and as a document for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table

from tests.environments.bench.measure import Series


@dataclass(frozen=True)
class Results:
    rounds: int
    dev: list[Series]
    programs: list[tuple[Series, Series]]
    emulator_mib: float


def document(results: Results) -> dict[str, Any]:
    """Return all measurements with their samples.

    `ratio` compares with the first line of dev, or with bare.
    """
    return {
        "rounds": results.rounds,
        "emulator_mib": round(results.emulator_mib),
        "dev": [_entry(series, series.ratio_to(results.dev[0])) for series in results.dev],
        "programs": [
            {"bare": _entry(bare, 1.0), "aws": _entry(aws, aws.ratio_to(bare))} for bare, aws in results.programs
        ],
    }


def tables(results: Results) -> list[Table]:
    dev = _table(f"Environment dev, {results.dev[0].resources} resources", "to the first")
    for series in results.dev:
        _row(dev, series, series.ratio_to(results.dev[0]))
    programs = _table("pulumi preview of generated programs", "to bare")
    for bare, aws in results.programs:
        _row(programs, bare, 1.0, prefix="bare: ")
        _row(programs, aws, aws.ratio_to(bare), prefix="AWS: ")
    return [table for table, rows in ((dev, results.dev), (programs, results.programs)) if rows]


def footnote(results: Results) -> str:
    return (
        f"{results.rounds} rounds; ratios are medians over the rounds. Memory is the largest sum of resident sets of "
        "the engine, the language host and the plugins, sampled ten times a second; "
        f"the emulator, which is not in it, has {results.emulator_mib:.0f} MiB at the end."
    )


def _table(title: str, ratio: str) -> Table:
    table = Table("What", title=title, title_justify="left")
    for heading in ("fastest s", "median s", ratio, "peak MiB"):
        table.add_column(heading, justify="right")
    return table


def _row(table: Table, series: Series, ratio: float, prefix: str = "") -> None:
    numbers: Sequence[float] = (series.fastest, series.median)
    cells = [f"{number:.1f}" for number in numbers]
    table.add_row(prefix + series.name, *cells, f"{ratio:.2f}", f"{series.peak_mib:.0f}")


def _entry(series: Series, ratio: float) -> dict[str, Any]:
    return {
        **asdict(series),
        "fastest": series.fastest,
        "median": series.median,
        "peak_mib": series.peak_mib,
        "ratio": ratio,
    }
