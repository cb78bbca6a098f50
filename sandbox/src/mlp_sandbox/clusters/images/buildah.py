"""Buildah with its own store in the user's cache, so that the machine's containers and images stay untouched.

Every call runs in its own mount and process namespaces. These end with this process, however it ends, so that neither
mounts nor processes remain.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from mlp_sandbox.errors import SandboxError
from mlp_sandbox.toolchain.cache import cache_folder
from mlp_sandbox.toolchain.progress import ticking

NAMESPACE = (
    *("setpriv", "--pdeathsig", "KILL", "--"),
    *("unshare", "--mount", "--propagation", "private", "--pid", "--mount-proc", "--fork", "--kill-child", "--"),
)
# Example from a Dockerfile with several stages: [1/2] STEP 3/4: RUN make
STEP = re.compile(r"(?:\[[0-9/]+\] )?STEP (.+)")


class BuildahError(SandboxError):
    """Error of a Buildah call. `words` is its last output line."""

    def __init__(self, message: str, words: str) -> None:
        super().__init__(message)
        self.words = words


class Buildah:
    """Buildah's command line. Raises SandboxError if the programs are not installed or the user is not root."""

    def __init__(self) -> None:
        missing = [program for program in ("buildah", "setpriv", "unshare") if shutil.which(program) is None]
        if missing:
            raise SandboxError(f"{' and '.join(missing)} not on PATH, so no images are built; as root: mlp setup")
        if os.geteuid() != 0:
            raise SandboxError("images are built as root; without root there are simulated nodes only")
        self.folder = cache_folder() / "buildah"
        self.folder.mkdir(parents=True, exist_ok=True)
        files = {
            "policy.json": json.dumps({"default": [{"type": "insecureAcceptAnything"}]}),
            "registries.conf": 'unqualified-search-registries = ["docker.io"]\nshort-name-mode = "permissive"\n',
            "storage.conf": f'[storage]\ndriver = "{self._driver()}"\n'
            f'graphroot = "{self.folder / "images"}"\nrunroot = "{self.folder / "run"}"\n',
        }
        for name, text in files.items():
            path = self.folder / name
            if not path.is_file() or path.read_text() != text:
                temporary = path.with_name(f"{name}.{os.getpid()}")
                temporary.write_text(text)
                temporary.replace(path)

    def call(self, *arguments: str, seconds: float | None = None) -> str:
        """Run a command and return its standard output.

        Raises SandboxError with the last lines of the error output, or if it takes longer than `seconds`.
        """
        try:
            done = subprocess.run(
                self._command(arguments),
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired as error:
            words = f"not done after {error.timeout:.0f} s"
            raise BuildahError(f"`buildah {' '.join(arguments)}` was ended: {words}", words) from error
        if done.returncode:
            raise self._failure(arguments, done.returncode, done.stderr.splitlines()[-20:])
        return done.stdout.strip()

    def image(self, reference: str) -> str | None:
        """Return the id of an image in the store, or None if it is not there."""
        try:
            return self.call("images", "--quiet", "--no-trunc", reference).splitlines()[0].removeprefix("sha256:")
        except (SandboxError, IndexError):
            return None

    def build(
        self, context: Path, dockerfile: Path, options: Sequence[str], report: Callable[[str], None], *, steps: bool
    ) -> None:
        """Build an image. Raises SandboxError with the last output of the failed step.

        Args:
            context: Build context.
            dockerfile: Path of the Dockerfile.
            options: Options of `buildah build`.
            report: Called with progress messages, at least every 15 s.
            steps: If True, also report every step.
        """
        arguments = ["build", "--isolation", "chroot", "--network", "host", "--layers", *options]
        arguments += ["--file", str(dockerfile), str(context)]
        last: deque[str] = deque(maxlen=30)
        step = ["starting"]
        with (
            ticking(report, lambda: step[0]),
            subprocess.Popen(
                self._command(arguments),
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            ) as process,
        ):
            try:
                assert process.stdout is not None  # noqa: S101 - PIPE was asked for
                for line in process.stdout:
                    last.append(line.rstrip())
                    if found := STEP.match(line):
                        step[0] = f"step {found.group(1)}"[:160]
                        if steps:
                            report(f"  {step[0]}")
            except BaseException:
                process.terminate()
                raise
            code = process.wait()
        if code:
            raise self._failure(arguments, code, list(last))

    def _command(self, arguments: Sequence[str]) -> list[str]:
        policy = ["--signature-policy", str(self.folder / "policy.json")]
        policy = policy if arguments[0] in ("build", "push", "pull") else []
        return [*NAMESPACE, "buildah", arguments[0], *policy, *arguments[1:]]

    def _environment(self) -> dict[str, str]:
        ours = {
            "CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"),
            "CONTAINERS_REGISTRIES_CONF": str(self.folder / "registries.conf"),
            # Working copies are as large as the images, and /tmp is often small.
            "TMPDIR": str(self.folder),
        }
        dropped = ("STORAGE_DRIVER", "STORAGE_OPTS", "BUILDAH_ISOLATION", "BUILDAH_FORMAT", "BUILDAH_LAYERS")
        return {key: value for key, value in os.environ.items() if key not in dropped} | ours

    def _driver(self) -> str:
        """Return the storage driver: overlay, or vfs if the cache is itself on an overlay file system.

        An overlay cannot be stacked on another one.
        """
        done = subprocess.run(
            ["stat", "--file-system", "--format", "%T", self.folder], capture_output=True, text=True, check=False
        )
        return "vfs" if done.stdout.strip() == "overlayfs" else "overlay"

    def _failure(self, arguments: Sequence[str], code: int, said: list[str]) -> SandboxError:
        words = "\n".join(said)
        if "no space left on device" in words.lower():
            return SandboxError(
                f"the disk of {self.folder} is full; make room, or name another folder in MLP_CACHE_DIR"
            )
        store = "" if arguments[0] == "build" else f"if its store is damaged, delete {self.folder}; it said:"
        message = f"`buildah {arguments[0]}` failed with exit code {code}: {store}\n{words}"
        return BuildahError(message, said[-1].removeprefix("Error: ") if said else f"exit code {code}")
