"""A repository for one test: the runtime and the example's project, with the test's changes."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from mlp.environments import ROOT

EXAMPLE = "tumour-diagnosis"
PROJECTS = "ml_workloads/projects"


def make_repository(root: Path) -> Path:
    """Copy the sources of projects' images; returns the folder of projects."""
    ignored = shutil.ignore_patterns("__pycache__")
    (root / PROJECTS).mkdir(parents=True)
    shutil.copy(ROOT / "ml_workloads" / "__init__.py", root / "ml_workloads")
    shutil.copytree(ROOT / "ml_workloads" / "runtime", root / "ml_workloads" / "runtime", ignore=ignored)
    return root / PROJECTS


def add_project(projects: Path, name: str, files: Mapping[str, str | bytes], settings: Mapping[str, Any]) -> None:
    """Copy the example's project under another name.

    `files` replace or extend its own; `a.b` in `settings` is a path.
    """
    folder = projects / name
    shutil.copytree(ROOT / PROJECTS / EXAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (folder / "Dockerfile", folder / "project.yaml"):
        path.write_text(path.read_text().replace(EXAMPLE, name))
    for file, content in files.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    document: dict[str, Any] = yaml.safe_load((folder / "project.yaml").read_text())
    for path, value in settings.items():
        *sections, field = path.split(".")
        section = document
        for each in sections:
            section = section[each]
        section[field] = value
    (folder / "project.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
