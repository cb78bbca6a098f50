"""Benchmarks measure whole process trees, paired rounds, and equal programs."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import typer

from tests.environments.bench.__main__ import parse_sizes
from tests.environments.bench.measure import MIB, BenchError, Sample, Series, end, run
from tests.environments.bench.programs import KINDS, source, write
from tests.environments.bench.report import Results, document, tables

CHILD = "import subprocess, sys; subprocess.run([sys.executable, '-c', {!r}])"
HOLD = "import time; held = bytearray({size}); time.sleep({seconds})"


def series(name: str, *seconds: float) -> Series:
    return Series("bare", name, 10, [Sample(one, 100 + one) for one in seconds])


def test_peak_memory_counts_what_descendants_hold(tmp_path: Path) -> None:
    child = HOLD.format(size=200 * MIB, seconds=0.6)
    sample = run([sys.executable, "-c", CHILD.format(child)], cwd=tmp_path, env=os.environ)
    assert 200 <= sample.peak_mib < 400
    assert 0.6 <= sample.seconds < 20


def test_a_failed_command_shows_its_last_words_and_gives_no_sample(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"exit code 3:\nwhy it failed"):
        run([sys.executable, "-c", "import sys; print('why it failed'); sys.exit(3)"], cwd=tmp_path, env=os.environ)


def test_ending_a_command_leaves_none_of_its_children() -> None:
    child = HOLD.format(size=0, seconds=60)
    process = subprocess.Popen([sys.executable, "-c", CHILD.format(child)], start_new_session=True)
    deadline = time.monotonic() + 20
    while not (children := psutil.Process(process.pid).children()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert children
    end(process)
    assert process.poll() is not None
    assert not [one for one in children if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def test_the_ratio_is_taken_round_by_round() -> None:
    # The machine was ten times slower in the second round: both suffer, the ratio does not.
    assert series("aws", 2.0, 20.0, 3.0).ratio_to(series("bare", 1.0, 10.0, 1.5)) == 2.0


def test_fastest_median_and_peak_are_those_of_the_samples() -> None:
    found = series("x", 3.0, 1.0, 2.5)
    assert (found.fastest, found.median, found.peak_mib) == (1.0, 2.5, 103.0)


@pytest.mark.parametrize("size", [1, 10, 25])
def test_both_programs_register_the_same_resources_in_the_same_components(size: int) -> None:
    made = {kind: registered(source(kind, size)) for kind in KINDS}
    assert made["bare"] == made["aws"]
    assert sum(count for _, count in made["bare"]) == size


def registered(program: str) -> list[tuple[str, int]]:
    """Return the components of a generated program by running its loop without Pulumi."""
    head, loop = program.split("\nfor start", 1)
    assert "class Group" in head
    groups: list[tuple[str, int]] = []

    class Options:
        def __init__(self, **_: object) -> None: ...

    names = {"pulumi": type("pulumi", (), {"ResourceOptions": Options}), "provider": None}
    exec("for start" + loop, {**names, "Group": lambda name, count, _: groups.append((name, count))})  # noqa: S102
    return groups


def test_a_generated_project_has_a_name_of_its_own(tmp_path: Path) -> None:
    texts = {(write(tmp_path, kind, 10) / "Pulumi.yaml").read_text() for kind in KINDS}
    assert len(texts) == len(KINDS)


@pytest.mark.parametrize("text", ["", "0", "ten", "100,,3", "-5", "100001", "5,5"])
def test_sizes_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_sizes(text)


def test_sizes_are_read_in_the_order_given() -> None:
    assert parse_sizes("1000, 100") == (1000, 100)


def test_the_document_and_the_tables_hold_every_measurement() -> None:
    results = Results(2, [series("preview", 1.0, 2.0)], [(series("p", 1.0, 1.0), series("p", 3.0, 5.0))], 50.0)
    found = document(results)
    assert found["programs"][0]["aws"]["ratio"] == 4.0
    assert [one["seconds"] for one in found["dev"][0]["samples"]] == [1.0, 2.0]
    assert [table.row_count for table in tables(results)] == [1, 2]
