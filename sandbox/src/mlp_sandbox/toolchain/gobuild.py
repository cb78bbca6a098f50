"""`go build` of the commands of a pinned module, with progress: packages compiled, and their total."""

from __future__ import annotations

import errno
import os
import re
import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mlp.machine.tool import Tool
from mlp_sandbox.errors import SandboxError
from mlp_sandbox.toolchain.golang import environment
from mlp_sandbox.toolchain.progress import ticking


def build(
    go: Tool,
    module: Path,
    commands: Mapping[str, str],
    flags: Sequence[str],
    folder: Path,
    report: Callable[[str], None],
) -> None:
    """Make `folder/<name>` of every `name: package` in one build, so that shared packages are compiled once.

    Raises:
        SandboxError: the build failed; the message has the compiler's last words.
        OSError: the disk is full.
    """
    if not os.access(go.path, os.X_OK):
        raise SandboxError(f"{go.path} cannot be started; install Go and put it on PATH")
    report("  fetching its modules (usually 30 s)")
    packages = list(commands.values())
    listed = _run(go, module, ["list", "-deps", *packages], folder, _Progress(report, "modules fetched", None))
    total = len(listed.splitlines())
    _run(
        go,
        module,
        ["build", "-v", *flags, "-o", f"{folder}{os.sep}", *packages],
        folder,
        _Progress(report, "packages compiled", total),
    )
    for name, package in commands.items():
        (folder / default_name(package)).rename(folder / name)


def default_name(package: str) -> str:
    """Return the name that `go build` gives a command: the last part of its path that is no major version."""
    parts = package.split("/")
    return parts[-2] if len(parts) > 1 and re.fullmatch(r"v[0-9]+", parts[-1]) else parts[-1]


class _Progress:
    """Counter of the lines that `go` prints; the linker prints nothing for a minute."""

    def __init__(self, report: Callable[[str], None], what: str, total: int | None) -> None:
        self.report, self.what, self.total, self.count = report, what, total, 0

    def __str__(self) -> str:
        # The count may stay below the total: `go` does not print packages that its cache already has.
        of = f" of at most {self.total}" if self.total else ""
        return f"{self.count}{of} {self.what}"


def _run(go: Tool, module: Path, arguments: list[str], scratch: Path, progress: _Progress) -> str:
    """Run `go` and return its standard output; each line of standard error, a package or module, is progress."""
    last: deque[str] = deque(maxlen=20)
    output = scratch / "go-output"
    # GOTMPDIR: a build needs some 500 MB, and /tmp is often small. GOGC: the compiler collects its garbage less often,
    # which shortens a build by a fifth (https://go.dev/doc/gc-guide#GOGC).
    with (
        ticking(progress.report, lambda: str(progress)),
        output.open("w+") as stdout,
        subprocess.Popen(
            [go.path, *arguments],
            cwd=module,
            env={"GOGC": "400", **environment(), "GOTMPDIR": str(scratch)},
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
