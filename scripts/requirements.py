"""Compile the pinned requirements: `make requirements`.

Each file is valid for every platform and every Python from 3.11 on, and pins each package with hashes. Later files use
the versions that earlier ones pin.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from mlp.machine.pip_configuration import read_pip_configuration, uv_arguments, uv_variables

RUNTIME = "ml_workloads/runtime/requirements"
SERVER = "platform_services/mlflow/image/requirements"
OPTIONS = ["-q", "--generate-hashes", "--no-emit-index-url", "--no-annotate", "--no-header", "--universal"]
PYTHON = ["--python-version", "3.11"]


def sources(root: Path) -> dict[str, list[str]]:
    """Return the arguments of `uv pip compile` by output file, in the order of compilation.

    Args:
        root: the repository. requirements-dev.txt includes the packages in its subfolders.
    """
    beside = [str(path.relative_to(root)) for path in sorted(root.glob("*/pyproject.toml"))]
    pinned = ["-c", "requirements.txt", "-c", f"{RUNTIME}.txt"]
    return {
        "requirements.txt": ["pyproject.toml"],
        f"{RUNTIME}.txt": [f"{RUNTIME}.in"],
        f"{SERVER}.txt": [f"{SERVER}.in"],
        "requirements-dev.txt": ["pyproject.toml", f"{RUNTIME}.in", *beside, "--group", "dev", *pinned],
    }


def compile_all(root: Path, extra: list[str]) -> int:
    """Compile all files and return the exit code of the first uv run that fails, else 0.

    Args:
        root: the repository.
        extra: additional options of `uv pip compile`, such as --upgrade.
    """
    python = Path(sys.executable)
    pip = read_pip_configuration(python)
    environment = {**os.environ, **uv_variables(pip, os.environ)}
    for target, arguments in sources(root).items():
        print(f"==> {target} (usually 10 s)", flush=True)
        command = [python.parent / "uv", "pip", "compile", *OPTIONS, *PYTHON, *uv_arguments(pip), *extra]
        code = subprocess.run([*command, *arguments, "-o", target], cwd=root, env=environment, check=False).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(compile_all(Path(__file__).resolve().parent.parent, sys.argv[1:]))
