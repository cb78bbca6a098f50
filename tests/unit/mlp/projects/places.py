"""A project and stack files that a test writes into its own folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.unit.ml_workloads.examples import SOUND

PLATFORM: dict[str, Any] = {"region": "eu-central-1", "cluster": {"teams": {"growth": {"namespaces": ["growth-*"]}}}}


def write_project(folder: Path, **changes: Any) -> Path:
    """Write a project; returns the folder of projects."""
    place = folder / "projects" / "churn"
    place.mkdir(parents=True)
    (place / "project.yaml").write_text(yaml.safe_dump({**SOUND, **changes}))
    return folder / "projects"


def write_stacks(folder: Path, platform: Any = PLATFORM) -> Path:
    """Write the stack files of dev and prod; returns their folder."""
    stacks = folder / "stacks"
    stacks.mkdir()
    for name in ("dev", "prod"):
        document = {"config": {"ml-platform:platform": platform}}
        (stacks / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump(document))
    return stacks
