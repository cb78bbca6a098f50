"""A project of a folder that a test wrote, in an environment whose stack file it wrote too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.unit.ml_workloads.examples import SOUND

PLATFORM: dict[str, Any] = {"region": "eu-central-1", "cluster": {"teams": {"growth": {"namespaces": ["growth-*"]}}}}


def write_project(folder: Path, **changes: Any) -> Path:
    """The folder of projects."""
    place = folder / "projects" / "churn"
    place.mkdir(parents=True)
    (place / "project.yaml").write_text(yaml.safe_dump({**SOUND, **changes}))
    return folder / "projects"


def write_stacks(folder: Path, platform: Any = PLATFORM) -> Path:
    """The folder of stack files: dev and prod."""
    stacks = folder / "stacks"
    stacks.mkdir()
    for name in ("dev", "prod"):
        document = {"config": {"ml-platform:platform": platform}}
        (stacks / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump(document))
    return stacks
