"""The end of `mlp up`: each project with an example has a model in production, and it answers.

What has been done before is left alone.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tenacity import Retrying, retry_if_not_result, stop_after_delay, wait_fixed

from cli.plain import console
from cli.projects.environment import PROJECTS, all_projects
from ml_workloads.project import Project
from ml_workloads.project.deployment_names import PRODUCTION, STAGING, TRAINED
from ml_workloads.project.image import EXAMPLE_FILE
from sandbox.environment import process_environment
from sandbox.errors import SandboxError
from sandbox.instance import PROJECT, Instance

# A server follows its alias within 30 seconds.
FOLLOW_SECONDS: Final = 60.0


@dataclass(frozen=True, kw_only=True)
class Answer:
    project: str
    version: str
    predictions: list[Any]


def first_answers(instance: Instance, stack: str) -> Iterator[Answer]:
    """Train, promote and ask, as far as it is not done. Raises SandboxError where a command refuses."""
    mlp = Commands(instance, stack)
    for project in projects_with_examples(stack):
        console.print(f"[bold]{project.name}[/bold]")
        aliases = mlp.aliases(project.name)
        if steps := missing_steps(aliases):
            for command, *options in steps:
                mlp.show(command, project.name, *options)
            aliases = mlp.aliases(project.name)
        yield mlp.ask(project.name, aliases[PRODUCTION])


def projects_with_examples(stack: str, folder: Path = PROJECTS) -> list[Project]:
    """Those that are served in the environment and bring a request to try."""
    return [
        project
        for project in all_projects(folder)
        if stack in project.environments and project.serving.online and (folder / project.name / EXAMPLE_FILE).is_file()
    ]


def missing_steps(aliases: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Commands with their options that lead from what the aliases name to a model in production."""
    if PRODUCTION in aliases:
        return []
    steps: list[tuple[str, ...]] = [] if TRAINED in aliases else [("train", "--follow")]
    steps += [] if STAGING in aliases else [("promote", "--to", STAGING)]
    return [*steps, ("promote", "--to", PRODUCTION)]


class Commands:
    """`mlp` as a user of the sandbox would type it."""

    def __init__(self, instance: Instance, stack: str) -> None:
        self._environment, self._stack = process_environment(instance), stack

    def show(self, command: str, project: str, *options: str) -> None:
        words = (command, project, "--env", self._stack, *options)
        console.print(f"[bold]mlp {' '.join(words)}[/bold]", highlight=False)
        code = subprocess.run(self._line(words), cwd=PROJECT, env=self._environment, check=False).returncode
        if code:
            raise SandboxError(f"`mlp {' '.join(words)}` ended with exit code {code}; run `mlp up` again to go on")

    def aliases(self, project: str) -> Mapping[str, str]:
        """Versions by alias."""
        versions = self._json("models", project)
        return {alias: str(each["version"]) for each in versions for alias in each["aliases"]}

    def ask(self, project: str, version: str) -> Answer:
        """Until that version answers the project's example."""
        example = str(PROJECTS / project / EXAMPLE_FILE)

        def answer() -> Answer | None:
            document = self._json("predict", project, "--data", example, ok=False)
            if document is None or str(document["model"]["version"]) != version:
                return None
            return Answer(project=project, version=version, predictions=document["predictions"])

        tries = Retrying(
            retry=retry_if_not_result(bool),
            stop=stop_after_delay(FOLLOW_SECONDS),
            wait=wait_fixed(2),
            retry_error_callback=lambda _state: None,
        )
        with console.status(f"Waiting for version {version} of {project} to answer"):
            found = tries(answer)
        if found is None:
            raise SandboxError(
                f"version {version} of {project} does not answer within {FOLLOW_SECONDS:.0f} s; "
                f"see `mlp status {project} --env {self._stack}` and `mlp logs {project} --env {self._stack}`"
            )
        return found

    def _json(self, *words: str, ok: bool = True) -> Any:
        line = self._line((*words, "--env", self._stack, "--json"))
        done = subprocess.run(
            line, cwd=PROJECT, env=self._environment, capture_output=True, text=True, check=False, timeout=300
        )
        if done.returncode == 0:
            return json.loads(done.stdout)
        if ok:
            raise SandboxError(f"`mlp {' '.join(words)}` ended with {done.returncode}: {done.stderr.strip()}")
        return None

    @staticmethod
    def _line(words: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-P", "-m", "cli", *words]
