"""Wall time of one command, and the peak memory of its whole process tree.

Memory is the sampled sum of the resident sets of the command and all its descendants (engine, language host, provider
plugins); pages that processes share count once for each. The emulator is not included: it is a service.
"""

from __future__ import annotations

import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

SAMPLE_SECONDS = 0.1
STOP_SECONDS = 30.0
MIB = 1024 * 1024


class BenchError(Exception):
    """A measured command failed; the message holds its last output."""


@dataclass(frozen=True)
class Sample:
    seconds: float
    peak_mib: float


@dataclass
class Series:
    """The samples of one measurement, one per round."""

    group: str
    name: str
    resources: int
    samples: list[Sample] = field(default_factory=list[Sample])

    @property
    def fastest(self) -> float:
        return min(sample.seconds for sample in self.samples)

    @property
    def median(self) -> float:
        return statistics.median(sample.seconds for sample in self.samples)

    @property
    def peak_mib(self) -> float:
        return max(sample.peak_mib for sample in self.samples)

    def ratio_to(self, other: Series) -> float:
        """Return the median ratio over the rounds: a disturbance of the machine affects both commands of a round."""
        pairs = zip(self.samples, other.samples, strict=True)
        return statistics.median(mine.seconds / theirs.seconds for mine, theirs in pairs)


def run(command: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str]) -> Sample:
    """Run a command; raise BenchError when it fails.

    When interrupted, it ends the command as Ctrl-C would and waits for it.
    """
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            list(command),
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C comes to us first
        )
        try:
            peak = _watch(process)
        except BaseException:
            end(process)
            raise
        seconds = time.perf_counter() - start
        if process.returncode:
            output.seek(0)
            said = output.read().decode(errors="replace").strip()[-2000:]
            words = " ".join(str(word) for word in command[1:4])
            raise BenchError(f"`pulumi {words}` in {cwd.name} ended with exit code {process.returncode}:\n{said}")
    return Sample(seconds, peak / MIB)


def _watch(process: subprocess.Popen[bytes]) -> int:
    """Wait until the process ends; returns the largest sum of resident sets, in bytes."""
    peak = 0
    while True:
        peak = max(peak, resident(process.pid))
        try:
            process.wait(SAMPLE_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        return peak


def resident(pid: int) -> int:
    """Return the resident bytes of a process and all its descendants; 0 when it has ended."""
    total = 0
    with suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
    return total


def end(process: subprocess.Popen[bytes]) -> None:
    """End the process and its descendants: first as Ctrl-C does, then by force."""
    if process.poll() is not None:
        return
    tree = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    left = psutil.wait_procs(tree, timeout=3)[1]
    for child in left:
        with suppress(psutil.NoSuchProcess):
            child.kill()
    psutil.wait_procs(left, timeout=3)
