"""`go build` of one command of a pinned module, with progress: packages compiled, of all that it is made of."""

from __future__ import annotations

import errno
import os
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.toolchain.golang import environment
from sandbox.toolchain.tool import Tool

REPORT_SECONDS = 15.0


def build(
    go: Tool, module: Path, package: str, flags: Sequence[str], target: Path, report: Callable[[str], None]
) -> None:
    """Raises SandboxError with the compiler's last words, and OSError when the disk is full."""
    if not os.access(go.path, os.X_OK):
        raise SandboxError(f"{go.path} cannot be started; install Go and put it on PATH")
    report("  fetching its modules (usually 30 s)")
    listed = _run(go, module, ["list", "-deps", package], target.parent, _Progress(report, "modules fetched", None))
    total = len(listed.splitlines())
    _run(
        go,
        module,
        ["build", "-v", *flags, "-o", str(target), package],
        target.parent,
        _Progress(report, "packages compiled", total),
    )


class _Progress:
    """One line every so many seconds, also while the linker says nothing for a minute."""

    def __init__(self, report: Callable[[str], None], what: str, total: int | None) -> None:
        self.report, self.what, self.total, self.count = report, what, total, 0

    @contextmanager
    def running(self) -> Generator[None]:
        started, ended = time.monotonic(), threading.Event()

        def tick() -> None:
            while not ended.wait(REPORT_SECONDS):
                # `go` does not name what its cache already held.
                of = f" of at most {self.total}" if self.total else ""
                self.report(f"  {self.count}{of} {self.what} after {time.monotonic() - started:.0f} s")

        ticker = threading.Thread(target=tick, daemon=True)
        ticker.start()
        try:
            yield
        finally:
            ended.set()
            ticker.join()


def _run(go: Tool, module: Path, arguments: list[str], scratch: Path, progress: _Progress) -> str:
    """Standard output. Standard error, a line per package or module, moves the progress."""
    last: deque[str] = deque(maxlen=20)
    output = scratch / "go-output"
    # GOTMPDIR: a build needs some 500 MB, and /tmp is often small.
    with (
        progress.running(),
        output.open("w+") as stdout,
        subprocess.Popen(
            [go.path, *arguments],
            cwd=module,
            env={**environment(), "GOTMPDIR": str(scratch)},
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        ) as process,
    ):
        try:
            assert process.stderr is not None  # noqa: S101 - PIPE was asked for
            for line in process.stderr:
                last.append(line.rstrip())
                progress.count += 1
        except BaseException:
            process.terminate()
            raise
        code = process.wait()
        stdout.seek(0)
        text = stdout.read()
    output.unlink()
    if code:
        said = "\n".join(last)
        if "no space left on device" in said:
            raise OSError(errno.ENOSPC, "No space left on device")
        command = " ".join(["go", *arguments[:2]])
        raise SandboxError(f"`{command}` in {module} failed with exit code {code}:\n{said}")
    return text
