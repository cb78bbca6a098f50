"""Stubs of tools: shell scripts that answer like the tools."""

from pathlib import Path


def program(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def fake_pulumi(folder: Path, version: str, *, language_host: bool = True) -> Path:
    if language_host:
        program(folder / "pulumi-language-python", "exit 0")
    return program(folder / "pulumi", f"echo {version}")


def fake_go(folder: Path, version: str, build: str = 'printf built > "$target"') -> Path:
    """Write a `go` that builds a file per package and answers `version`.

    A test may replace `build`, which uses $name and $target, with a failing one.
    """
    script = f"""case "$1" in
version) echo "go version go{version} linux/amd64" ;;
list) echo "go: downloading example.com/one v1.0.0" >&2; printf 'one\\ntwo\\nthree\\n' ;;
build)
  while [ "$1" != -o ]; do shift; done; folder=$2; shift 2
  echo one >&2; echo two >&2
  for package in "$@"; do
    case "$package" in */v[0-9]) name=$(basename "${{package%/*}}") ;; *) name=$(basename "$package") ;; esac
    target=$folder$name
    {build}
  done ;;
esac"""
    return program(folder / "go", script)
