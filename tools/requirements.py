"""Compile requirements*.txt anew from requirements*.in: `make requirements`.

One file for every platform and every Python from 3.11 on, each package with its hashes. The order matters: each file
keeps to what the ones before it pin.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tools.pip_configuration import read_pip_configuration, uv_arguments, uv_variables

NAMES = (
    "requirements",
    "ml_workloads/runtime/requirements",
    "platform_services/mlflow/image/requirements",
    "requirements-dev",
)
OPTIONS = ["-q", "--generate-hashes", "--no-emit-index-url", "--no-annotate", "--no-header", "--universal"]
PYTHON = ["--python-version", "3.11"]


def compile_all(root: Path, extra: list[str]) -> int:
    """Exit code of the first uv that fails, else 0. `extra`: more options of `uv pip compile`, such as --upgrade."""
    python = Path(sys.executable)
    pip = read_pip_configuration(python)
    environment = {**os.environ, **uv_variables(pip, os.environ)}
    for name in NAMES:
        print(f"==> {name}.txt (usually 10 s)", flush=True)
        command = [python.parent / "uv", "pip", "compile", *OPTIONS, *PYTHON, *uv_arguments(pip), *extra]
        code = subprocess.run(
            [*command, f"{name}.in", "-o", f"{name}.txt"], cwd=root, env=environment, check=False
        ).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(compile_all(Path(__file__).resolve().parent.parent, sys.argv[1:]))
