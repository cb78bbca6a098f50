"""`python -m tests.environments.bench [--sizes 100,1000,3000] [--rounds N] [--json]`."""

from __future__ import annotations

import json
import os
import signal
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from mlp_sandbox.errors import SandboxError
from tests.environments.bench import report
from tests.environments.bench.box import open_box
from tests.environments.bench.measure import BenchError
from tests.environments.bench.scenarios import measure_dev, measure_programs, steps

LARGEST = 100_000
errors = Console(stderr=True)


def parse_sizes(text: str) -> tuple[int, ...]:
    """Parse the sizes; raise typer.BadParameter with the reason when one is invalid."""
    sizes: list[int] = []
    for part in text.split(","):
        if not part.strip().isdigit() or not 1 <= int(part) <= LARGEST:
            raise typer.BadParameter(f"{part.strip()!r} is not a number from 1 to {LARGEST}; write it as 100,1000,3000")
        sizes.append(int(part))
    if len(set(sizes)) != len(sizes):
        raise typer.BadParameter(f"{text!r} names a size twice")
    return tuple(sizes)


def bench(
    sizes: Annotated[str, typer.Option(help="Numbers of resources of the generated programs.")] = "100,1000,3000",
    rounds: Annotated[int, typer.Option(min=1, max=100, help="How often each is measured.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with all samples, instead of tables.")] = False,
) -> None:
    """Measure preview and up of dev, and previews of many resources, in a sandbox of its own.

    About 10 minutes by default on 2 cores. Exit codes: 0 done, 1 a measured command failed, 2 wrong command line,
    130 interrupted.
    """
    counts = parse_sizes(sizes)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        results = _measure(counts, rounds)
    except (SandboxError, BenchError) as error:
        errors.print(f"error: {error}", style="red", highlight=False, markup=False, soft_wrap=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt as error:
        errors.print("interrupted; the benchmark's sandbox is gone")
        raise typer.Exit(130) from error
    if as_json:
        print(json.dumps(report.document(results), indent=2))
        return
    console = Console()
    for table in report.tables(results):
        console.print(table)
    console.print(report.footnote(results), highlight=False)


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def _measure(sizes: tuple[int, ...], rounds: int) -> report.Results:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        Progress(*columns, console=errors) as progress,
        tempfile.TemporaryDirectory(prefix="mlp-bench-programs-") as folder,
        open_box(lambda line: errors.print(f"  {line}", highlight=False)) as box,
    ):
        # -1: each step is announced when it begins.
        task = progress.add_task("starting a sandbox", total=steps(sizes, rounds), completed=-1)

        def advance(description: str) -> None:
            progress.update(task, description=description, advance=1)
            if not errors.is_terminal:
                errors.print(description, highlight=False)

        dev = measure_dev(box, rounds, advance)
        emulator_mib = box.emulator_mib()
        programs = measure_programs(box, Path(folder), sizes, rounds, advance)
        progress.update(task, advance=1)
    return report.Results(rounds, dev, programs, emulator_mib)


if __name__ == "__main__":
    os.environ.pop("MLP_SANDBOX", None)
    typer.run(bench)
