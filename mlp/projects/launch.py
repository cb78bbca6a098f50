"""`mlp projects launch`: one command from a new project to its first served prediction."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from mlp.console import PlainError, console, errors, plain_errors
from mlp.environments import Env
from mlp.extensions import selected_account
from mlp.projects.check import Sample, check_projects, show
from mlp.projects.environment import PROJECTS, Place, find_place
from mlp.projects.session import ProjectArgument
from mlp.projects.show import tell

if TYPE_CHECKING:
    from ml_workloads.project import Project
    from mlp.projects.commands import Answer
    from mlp.projects.launch_steps import Kind, State, Target

Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="CSV or Parquet file to upload where S3 has no data yet; without --sample its rows are tried, too.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Let `pulumi up` change the environment without asking.")]


def launch(
    project: ProjectArgument, env: Env = "dev", data: Data = None, sample: Sample = None, yes: Yes = False
) -> None:
    """Bring a project to its first served answer: check, image, data, deployment, training, promotion, prediction.

    Can be run again at any time; steps that are done are skipped. If a user has to provide something, it stops and
    prints the command to type. `pulumi up` deploys the whole environment; on AWS it shows the changes and asks, unless
    --yes. Exit code 1 if it stops.
    """
    with plain_errors():
        for option, file in (("--data", data), ("--sample", sample)):
            if file is not None and not file.is_file():
                raise PlainError(f"{option} {str(file)!r}: there is no such file")
        place = find_place(project, env)
        if data is not None:
            check_upload(place.project, data)
        reach(place)
        console.print("[bold]check[/bold]")
        with errors.status("Checking"):
            (checked,) = check_projects([project], sample or data, slow_sample="note")
        if checked.problems:
            show(checked)
            raise PlainError(f"{project} is not ready; mend that, then: mlp projects launch {project} --env {env}")
        tell(f"  done: {len(checked.findings)} things looked at; `mlp projects check {project}` lists them")
        for each in checked.notes:
            tell(f"  note: {each.what}: {each.said}")
        from mlp.projects.launch_world import World

        target = target_of(place, data, checked.row)
        world = World(place=place, target=target, confirmed=yes or selected_account() is not None)
        changed = bring(target, world)
        tell(outcome(target, world.answer, changed=changed))


def reach(place: Place) -> None:
    """Sign in to the account and the cluster. Raises PlainError with the command to type if that fails."""
    from mlp.projects.session import signed_in

    if shutil.which("pulumi") is None:
        account = selected_account()
        how = account.sign_in if account else "docs/runbooks/first-deploy-to-aws.md says how"
        raise PlainError(f"there is no pulumi on PATH: {how}")
    with signed_in(place.environment, place.role) as (aws, cluster):
        cluster.find(f"/api/v1/namespaces/{place.project.namespace}")
        tell(f"as {aws.caller}, on {place.environment.cluster}")


def target_of(place: Place, data: Path | None, row: Any) -> Target:
    """Return the requirements of a project. `row` is a row that its model accepts, None if none is known."""
    from ml_workloads.project.data import SqlSource
    from ml_workloads.project.deployment_names import secret
    from ml_workloads.project.image import EXAMPLE_FILE
    from mlp.projects.launch_steps import Target

    project, source = place.project, place.project.data.source
    example = PROJECTS / project.name / EXAMPLE_FILE
    request = str(example) if example.is_file() else json.dumps(row) if row else None
    key = key_of(project)
    return Target(
        project=project.name,
        environment=place.environment.name,
        served=project.serving.online is not None,
        pushed=selected_account() is None,
        key=key,
        upload=str(data) if key and data else None,
        secret=f"{place.environment.prefix}/{secret(project.name, source.secret)}"
        if isinstance(source, SqlSource)
        else None,
        request=request,
    )


def key_of(project: Project) -> str | None:
    """Return the object or prefix of the data lake that training reads, None if it reads from another source."""
    from ml_workloads.project.data import S3Source
    from ml_workloads.project.deployment_names import data_prefix

    source = project.data.source
    return data_prefix(project.name) + source.path if isinstance(source, S3Source) else None


def check_upload(project: Project, data: Path) -> None:
    """Raise PlainError if training cannot read the file after its upload."""
    key = key_of(project)
    if key is None:
        raise PlainError(
            f"--data {data}: nothing is uploaded for data.source.type {project.data.source.type}; "
            f"give rows to try with --sample {data}"
        )
    if key.endswith("/"):
        from ml_workloads.runtime.data.layout import may_be_part
        from ml_workloads.runtime.data.tables import FORMATS

        if not may_be_part(data.name):
            raise PlainError(
                f"--data {data}: a training does not read an object of this name below {key}; give a file that ends "
                f"with {FORMATS} and does not begin with _ or ."
            )
    elif ending(key) != ending(data.name):
        raise PlainError(f"--data {data}: data.source.path is {key}; give a file that ends with {ending(key)}")


def ending(name: str) -> str:
    """Return the suffix that identifies a file's format, in lower case.

    It is the last suffix, preceded by `.csv` if the last one is a compression's.
    """
    found = re.search(r"(\.csv)?\.(gz|bz2|xz|zst)$|\.[^./]*$", name.lower())
    return found[0] if found else ""


class Doer(Protocol):
    """Executor of steps: AWS and the engine, or a fake in tests."""

    def look(self, kind: Kind, state: State) -> State: ...

    def do(self, kind: Kind, state: State) -> State: ...


def bring(target: Target, world: Doer) -> bool:
    """Execute the missing steps, first to last; return whether anything was changed.

    Raises:
        PlainError: a user has to provide something, or a step did not have the expected effect.
    """
    from mlp.projects.launch_steps import State, next_step, steps

    state, done, told = State(), list[str](), set[str]()
    while True:
        for step in steps(target, state):
            if step.status != "done":
                break
            if step.kind not in told:
                told.add(step.kind)
                _tell(step.kind, f"done: {step.said}")
        step = next_step(target, state)
        if step is None:
            return any(kind != "answer" for kind in done)
        if step.status == "blocked":
            raise PlainError(step.said)
        if step.status == "unknown":
            state = world.look(step.kind, state)
            continue
        if step.kind in done:
            raise PlainError(f"{step.kind}: it was done ({step.said}) and is still missing; see what it said above")
        _tell(step.kind, step.said)
        done.append(step.kind)
        state = world.do(step.kind, state)


def _tell(kind: str, said: str) -> None:
    console.print(f"[bold]{kind}[/bold]", highlight=False)
    tell(f"  {said}")


def outcome(target: Target, answer: Answer | None, *, changed: bool) -> str:
    """Return the final message: whether anything was changed, and the model's predictions."""
    name, env = target.project, target.environment
    begin = "" if changed else "Nothing was changed: all of it was there. "
    if answer is None:
        return f"{begin}{name} has a model in production in {env}; it is not served, its file has no serving.online."
    said = ", ".join(map(str, answer.predictions))
    return f"{begin}{name} answers in {env} with version {answer.version}: {said}"
