"""Selection of the part of requirements.txt, including hashes, that a few packages need."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Iterable
from importlib.metadata import requires

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mlp_sandbox.errors import SandboxError

# Properties of the image's interpreter, not of the one that builds the image.
TARGET = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": platform.machine(),
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.11.2",
    "python_version": "3.11",
    "sys_platform": "linux",
    "extra": "",
}


def pinned_packages(
    requirements: str, roots: Iterable[str], needs: Callable[[str], list[str] | None] = requires
) -> str:
    """Return the blocks of `requirements` for some packages and all their dependencies.

    Args:
        requirements: Content of requirements.txt.
        roots: Names of the packages.
        needs: Returns the requirements of a package; by default those of the package that is installed here.

    Raises:
        SandboxError: A package is not pinned.
    """
    blocks = {canonicalize_name(re.split(r"[=\[ ]", block)[0]): block for block in _blocks(requirements)}
    wanted: dict[str, None] = {}
    waiting = [str(canonicalize_name(root)) for root in roots]
    while waiting:
        name = waiting.pop()
        if name in wanted:
            continue
        if canonicalize_name(name) not in blocks:
            raise SandboxError(f"requirements.txt does not pin {name}; compile it anew: make requirements")
        wanted[name] = None
        needed = [Requirement(text) for text in needs(name) or ()]
        waiting += [canonicalize_name(each.name) for each in needed if not each.marker or each.marker.evaluate(TARGET)]
    return "".join(f"{blocks[canonicalize_name(name)]}\n" for name in sorted(wanted))


def _blocks(requirements: str) -> list[str]:
    """Return one block per package: its line and the lines of its hashes."""
    text = "\n".join(line for line in requirements.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    return re.split(r"\n(?=\S)", text)
