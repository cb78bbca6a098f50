"""Run the test layers one after the other, each in its own process, and print one summary line at the end.

`python -m scripts.layers --parallel tests/unit tests/contract --grouped tests/environments`: each parallel folder is a
layer that uses every core and assigns one file at a time to a worker. The grouped folders are one layer in which two
groups of tests run side by side (scripts/by_folder.py). A layer that fails does not stop the next one. The exit code is
1 if any layer failed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

INTERRUPTED = 2
# Per layer, print at most PARTS parts that took at least PART_SECONDS.
PARTS, PART_SECONDS = 30, 10
SLOW = ("--durations=20", "--durations-min=10")
# One worker runs all tests of a file, so their shared fixtures are created once.
PARALLEL = ("-n", "auto", "--dist", "loadfile")
GROUPED = ("-n", "2", "--dist", "loadscope", "-p", "scripts.by_folder")
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Result:
    layer: str
    code: int
    tests: int
    failed: int
    skipped: int
    seconds: float

    def __str__(self) -> str:
        passed = self.tests - self.failed - self.skipped
        parts = [f"{passed} passed"]
        parts += [f"{self.failed} failed"] if self.failed else []
        parts += [f"{self.skipped} skipped"] if self.skipped else []
        # pytest may fail without a failed test: nothing collected, a broken conftest, killed.
        parts += [f"pytest exit code {self.code}"] if self.code and not self.failed else []
        return f"{self.layer}: {', '.join(parts)} in {self.seconds:.0f} s"


def run_layer(folders: Sequence[str], distribution: Sequence[str]) -> Result:
    """Run the tests of some folders as one layer."""
    started = time.monotonic()
    print(f"\n==> {' '.join(folders)}", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.xml"
        command = [sys.executable, "-m", "pytest", *folders, "-q", f"--junitxml={report}", *SLOW, *distribution]
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        tests, failed, skipped = count(report)
        for folder in folders:
            print_times(folder, report)
    return Result(" + ".join(folders), code, tests, failed, skipped, time.monotonic() - started)


def count(report: Path) -> tuple[int, int, int]:
    """Return the numbers of tests, failures (including errors) and skips; zeros if pytest wrote no report."""
    if not report.is_file():
        return 0, 0, 0
    suites = ElementTree.parse(report).getroot().iter("testsuite")  # noqa: S314 - pytest wrote it a moment ago
    sums = [0, 0, 0]
    for suite in suites:
        sums[0] += int(suite.get("tests", "0"))
        sums[1] += int(suite.get("failures", "0")) + int(suite.get("errors", "0"))
        sums[2] += int(suite.get("skipped", "0"))
    return sums[0], sums[1], sums[2]


def print_times(folder: str, report: Path) -> None:
    """Print the slowest parts of a layer in seconds, summed over its workers: setup, call and teardown."""
    times = seconds_by_part(folder, report)
    for part, seconds in sorted(times.items(), key=lambda each: -each[1])[:PARTS]:
        if seconds >= PART_SECONDS:
            print(f"{seconds:6.0f} s  {part}")


def seconds_by_part(folder: str, report: Path) -> dict[str, float]:
    """Return seconds by subfolder of a layer, and by file for files outside subfolders."""
    seconds: dict[str, float] = {}
    if not report.is_file():
        return seconds
    prefix = folder.strip("/").replace("/", ".") + "."
    for case in ElementTree.parse(report).getroot().iter("testcase"):  # noqa: S314 - pytest wrote it a moment ago
        name = case.get("classname", "")
        if not name.startswith(prefix):
            continue
        part = name.removeprefix(prefix).partition(".")[0]
        seconds[part] = seconds.get(part, 0.0) + float(case.get("time", "0"))
    return seconds


def verdict(results: Sequence[Result]) -> str:
    bad = [result.layer for result in results if result.code]
    head = f"FAILED ({', '.join(bad)})" if bad else "PASSED"
    total = sum(result.seconds for result in results)
    return f"{head}  {'; '.join(str(result) for result in results)}; {total:.0f} s in all"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.layers", description=__doc__)
    parser.add_argument("--parallel", nargs="+", default=[], metavar="FOLDER")
    parser.add_argument("--grouped", nargs="+", default=[], metavar="FOLDER")
    chosen = parser.parse_args(arguments)
    layers = [([each], PARALLEL) for each in chosen.parallel] + ([(chosen.grouped, GROUPED)] if chosen.grouped else [])
    missing = [folder for folders, _ in layers for folder in folders if not (ROOT / folder).is_dir()]
    if missing or not layers:
        parser.error(f"no such folder of tests: {', '.join(missing)}" if missing else "name a folder of tests")
    results: list[Result] = []
    for folders, distribution in layers:
        results.append(run_layer(folders, distribution))
        if results[-1].code == INTERRUPTED and not results[-1].failed:
            break
    print(f"\n{verdict(results)}")
    return 1 if any(result.code for result in results) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
