"""Measured scenarios: the life of the dev environment, and previews of generated programs beside bare ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from mlp_sandbox.engine.install import pulumi
from tests.environments.bench.box import BenchBox
from tests.environments.bench.measure import Series
from tests.environments.bench.programs import KINDS, write

STACK: Final = "dev"
PREVIEW_NEW: Final = "preview, from nothing"
DEV: Final[dict[str, tuple[str, ...]]] = {
    PREVIEW_NEW: ("preview",),
    "up, from nothing": ("up", "--yes", "--skip-preview"),
    "up, no changes": ("up", "--yes", "--skip-preview"),
    "preview, no changes": ("preview", "--expect-no-changes"),
    "preview --refresh, no changes": ("preview", "--refresh", "--expect-no-changes"),
}
Advance = Callable[[str], None]


def steps(sizes: Sequence[int], rounds: int) -> int:
    """Return the number of commands that will be measured."""
    return rounds * (len(DEV) + len(KINDS) * len(sizes))


def measure_dev(box: BenchBox, rounds: int, advance: Advance) -> list[Series]:
    """Measure the dev environment; each round starts from an empty account."""
    series = [Series("dev", name, 0) for name in DEV]
    for number in range(rounds):
        if number:
            box.renew()
        for found in series:
            advance(f"dev: {found.name} (round {number + 1} of {rounds})")
            found.samples.append(box.pulumi(*DEV[found.name], "--stack", STACK))
    exported = json.loads(pulumi(box.instance, "stack", "export", "--stack", STACK))
    count = len(exported["deployment"]["resources"])
    for found in series:
        found.resources = count
    return series


def measure_programs(
    box: BenchBox, folder: Path, sizes: Sequence[int], rounds: int, advance: Advance
) -> list[tuple[Series, Series]]:
    """Measure pairs of bare and AWS programs in turns."""
    pairs: list[tuple[Series, Series]] = []
    for size in sizes:
        projects = {kind: write(folder, kind, size) for kind in KINDS}
        for project in projects.values():
            box.pulumi("stack", "init", "bench", cwd=project)
        found = {kind: Series(kind, f"preview of {size}", size) for kind in KINDS}
        for number in range(rounds):
            for kind, project in projects.items():
                advance(f"{kind}: preview of {size} resources (round {number + 1} of {rounds})")
                found[kind].samples.append(box.pulumi("preview", "--stack", "bench", cwd=project))
        pairs.append((found["bare"], found["aws"]))
    return pairs
