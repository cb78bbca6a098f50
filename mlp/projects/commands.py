"""Runner of `mlp` commands, as a user would type them, from a project without a model to a model that answers.

`mlp projects launch` and other commands share it. It does not know the account: its processes get the given environment
variables, and so use the same account as plain `mlp`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tenacity import Retrying, retry_if_not_result, stop_after_delay, wait_fixed

from ml_workloads.project.deployment_names import PRODUCTION, STAGING, TRAINED
from mlp.console import PlainError, console
from mlp.environments import ROOT

# A server follows its alias within 30 seconds.
FOLLOW_SECONDS: Final = 60.0
TRAIN: Final = ("train", "--follow")
_ANSWER_SECONDS: Final = 300


@dataclass(frozen=True, kw_only=True)
class Answer:
    project: str
    version: str
    predictions: list[Any]


def missing_steps(aliases: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Return the commands, with options, that lead from the current aliases to a model in production."""
    if PRODUCTION in aliases:
        return []
    steps: list[tuple[str, ...]] = [] if TRAINED in aliases or STAGING in aliases else [TRAIN]
    steps += [] if STAGING in aliases else [("promote", "--to", STAGING)]
    return [*steps, ("promote", "--to", PRODUCTION)]


@dataclass(frozen=True, kw_only=True)
class Commands:
    """Runner of `mlp` commands.

    `stack` is the name of the environment. `variables` are the environment variables of the processes, None for those
    of this process. `again` is the command that a user types to continue after a failure.
    """

    stack: str
    again: str
    variables: Mapping[str, str] | None = field(default=None, repr=False)
    root: Path = ROOT

    def model_in_production(self, project: str) -> str:
        """Train and promote as far as necessary; return the version that is in production afterwards.

        Raises:
            PlainError: a command failed, or the gate rejected every version.
        """
        aliases = self.aliases(project)
        for command, *options in missing_steps(aliases):
            self.show(command, project, *options)
            if (command, *options) == TRAIN and TRAINED not in self.aliases(project):
                raise PlainError(f"the gate did not let the model of {project} through: {self.gate_said(project)}")
        return aliases.get(PRODUCTION) or self.aliases(project)[PRODUCTION]

    def aliases(self, project: str) -> Mapping[str, str]:
        """Return versions by alias."""
        versions = self.asked("models", project)
        return {alias: str(each["version"]) for each in versions for alias in each["aliases"]}

    def gate_said(self, project: str) -> str:
        """Return the gate's reasons for rejecting the newest version, and the fix."""
        versions = sorted(self.asked("models", project), key=lambda each: int(each["version"]))
        said = versions[-1]["gate"] if versions else None
        logs = f"`mlp logs {project} --env {self.stack} --training`"
        return f"{said or 'it recorded no verdict'}; see {logs}, mend the model or training.gate, then {self.again}"

    def ask(self, project: str, version: str, data: str) -> Answer:
        """Send requests until a version answers.

        Args:
            project: name of the project.
            version: the version that must answer.
            data: a file as in `mlp predict --data`, or JSON. JSON goes through standard input: every user of the
                machine can read the arguments of a process.

        Raises:
            PlainError: it does not answer within `FOLLOW_SECONDS`; the message contains the last error of the command.
        """
        said = ""
        is_json = data.lstrip().startswith(("{", "["))

        def answer() -> Answer | None:
            nonlocal said
            done = self._run("predict", project, "--data", "-" if is_json else data, given=data if is_json else None)
            if done.returncode:
                said = done.stderr.strip()
                return None
            document = json.loads(done.stdout)
            if str(document["model"]["version"]) != version:
                said = f"version {document['model']['version']} answers"
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
            raise PlainError(
                f"version {version} of {project} does not answer within {FOLLOW_SECONDS:.0f} s ({said}); "
                f"see `mlp status {project} --env {self.stack}` and `mlp logs {project} --env {self.stack}`"
            )
        return found

    def show(self, command: str, *words: str) -> None:
        """Run a command for a project and show its output. Raises PlainError if it fails."""
        self.show_plain(command, *words[:1], "--env", self.stack, *words[1:])

    def show_plain(self, *line: str) -> None:
        """Run a complete command line and show its output. Raises PlainError if it fails."""
        console.print(f"[bold]mlp {' '.join(line)}[/bold]", highlight=False)
        code = run_to_its_end(self._line(line), self.root, self.variables)
        if code:
            raise PlainError(f"`mlp {' '.join(line)}` ended with exit code {code}; {self.again} goes on from there")

    def asked(self, *words: str) -> Any:
        """Return the --json output of a command. Raises PlainError if it fails."""
        done = self._run(*words)
        if done.returncode:
            raise PlainError(f"`mlp {' '.join(words)}` ended with {done.returncode}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def _run(self, *words: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._line((*words, "--env", self.stack, "--json")),
            cwd=self.root,
            env=self.variables,
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=_ANSWER_SECONDS,
        )

    @staticmethod
    def _line(words: Sequence[str]) -> list[str]:
        return [sys.executable, "-P", "-m", "mlp", *words]


def run_to_its_end(line: Sequence[str], folder: Path, variables: Mapping[str, str] | None = None) -> int:
    """Run a command and return its exit code; on Ctrl-C, wait until it has ended by itself, too.

    The terminal sends Ctrl-C to the command as well. Killing the command, as `subprocess.run` does after a quarter of a
    second, leaves a lock or an unrecorded resource behind.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed; the command has ended.
    """
    process = subprocess.Popen(list(line), cwd=folder, env=variables)
    interrupted = False
    while True:
        try:
            code = process.wait()
        except KeyboardInterrupt:
            interrupted = True
        else:
            break
    if interrupted:
        raise KeyboardInterrupt
    return code
