"""An environment for one test: a copy of the project, whose settings the test changes as a team would."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mlp_sandbox.instance import PROJECT
from mlp_sandbox.testing.box import Box

PACKAGES = ("components", "ml_workloads", "mlp", "platform_services", "scripts", "stacks", "validation")
PROGRAM = ("Pulumi.yaml", "__main__.py", *PACKAGES)
SETTINGS = "ml-platform:platform"


@dataclass(frozen=True)
class EnvironmentCopy:
    box: Box
    folder: Path
    stack: str = "dev"

    @property
    def stack_file(self) -> Path:
        return self.folder / "stacks" / f"Pulumi.{self.stack}.yaml"

    def change(self, **changes: Any) -> None:
        """Write settings: `network__nat="none"` sets `nat` of `network`."""
        text = yaml.safe_load(self.stack_file.read_text())
        for path, value in changes.items():
            *sections, field = path.split("__")
            section = text["config"][SETTINGS]
            for name in sections:
                section = section.setdefault(name, {})
            section[field] = value
        self.stack_file.write_text(yaml.safe_dump(text, sort_keys=False))

    def pulumi(self, command: str, *arguments: str, ok: bool = True) -> str:
        return self.box.pulumi(command, "--stack", self.stack, *arguments, cwd=self.folder, ok=ok)

    def up(self, ok: bool = True) -> str:
        return self.pulumi("up", "--yes", "--skip-preview", ok=ok)

    def mlp(self, *arguments: str, ok: bool = True) -> subprocess.CompletedProcess[str]:
        """Run this copy's command line, which reads the copy's projects and stack files."""
        return self.box.run(*self.mlp_command(*arguments), cwd=self.folder, ok=ok, PYTHONPATH=str(self.folder))

    def mlp_command(self, *arguments: str) -> tuple[str, ...]:
        return (sys.executable, "-P", "-m", "mlp", *arguments)

    def build_images(self) -> None:
        """Build the images that pods of real nodes run; existing ones are reused."""
        self.mlp("images", "build", "--env", self.stack)

    def planned(self) -> dict[str, str]:
        """Return the preview's create, update, replace or delete steps by logical name, without unchanged resources."""
        command = ("pulumi", "preview", "--stack", self.stack, "--json", "--non-interactive")
        steps = json.loads(self.box.run(*command, cwd=self.folder).stdout)["steps"]
        plan: dict[str, str] = {}
        for step in steps:
            if step["op"] not in ("same", "read"):
                plan[step["urn"].rsplit("::", 1)[1]] = "replace" if "replace" in step["op"] else step["op"]
        return plan

    def is_settled(self) -> None:
        """Assert that no change remains, also after a refresh from AWS."""
        self.pulumi("preview", "--refresh", "--expect-no-changes")

    def resources(self, type: str) -> dict[str, dict[str, Any]]:
        """Return the resources of a type in the state, by logical name."""
        exported = self.box.export(self.stack, self.folder)
        return {each["urn"].rsplit("::", 1)[1]: each for each in exported if each["type"] == type}

    def id(self, type: str, name: str) -> str:
        return str(self.resources(type)[name]["id"])

    def outputs(self, type: str, name: str) -> dict[str, Any]:
        return dict(self.resources(type)[name]["outputs"])


def copy_project(folder: Path) -> None:
    folder.mkdir()
    for name in PROGRAM:
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)


def deployed_copy(box: Box, folder: Path) -> EnvironmentCopy:
    copy_project(folder)
    copy = EnvironmentCopy(box, folder)
    copy.up()
    return copy


def by_operation(plan: dict[str, str]) -> dict[str, set[str]]:
    return {operation: {name for name in plan if plan[name] == operation} for operation in set(plan.values())}
