"""Planning of the remaining steps from a new project to its first served answer. Pure.

A fact that is not known yet is None. Steps are in the order of execution; each needs the previous ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from ml_workloads.project.deployment_names import PRODUCTION
from mlp.projects.commands import missing_steps

Kind = Literal["repository", "image", "data", "deployment", "secret", "model", "answer"]
Status = Literal["done", "to do", "blocked", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Target:
    """Requirements of a project, from its file.

    `request` contains rows for a prediction, None if none are known. `secret` is the Secrets Manager name of the secret
    with a database's address. `key` is the object or prefix (it ends with /) that training reads. `upload` is a file of
    the user for this place. `pushed` is true if images go to a registry and not to this machine's own store.
    """

    project: str
    environment: str
    served: bool
    pushed: bool
    key: str | None = None
    upload: str | None = None
    secret: str | None = None
    request: str | None = None


@dataclass(frozen=True, kw_only=True)
class State:
    """Facts about the project. `bucket` is known once `data` is; `answered` is the version that answered."""

    repository: bool | None = None
    image: bool | None = None
    bucket: str | None = None
    data: bool | None = None
    deployment: bool | None = None
    secret: bool | None = None
    aliases: Mapping[str, str] | None = None
    answered: str | None = None


@dataclass(frozen=True, kw_only=True)
class Step:
    """Step and its status.

    `said` describes the current state, the planned action, or the command to type if blocked.
    """

    kind: Kind
    status: Status
    said: str


def steps(target: Target, state: State) -> tuple[Step, ...]:
    """Return every step that a project needs, first to last, with its status."""
    return tuple(_steps(target, state))


def next_step(target: Target, state: State) -> Step | None:
    """Return the first step that is not done, None if all are done."""
    return next((step for step in _steps(target, state) if step.status != "done"), None)


def _steps(target: Target, state: State) -> Iterator[Step]:
    env = target.environment
    yield _step(
        "repository",
        state.repository,
        there=f"the image repositories of {env} are there",
        doing=f"pulumi up --stack {env} without what runs on the cluster: it makes the image repositories",
    )
    yield _step(
        "image",
        state.image,
        there=f"the images of {env} are there",
        doing=f"mlp images {'push' if target.pushed else 'build'} --env {env}",
    )
    if target.key is not None:
        yield _data(target, state, target.key)
    yield _step(
        "deployment",
        state.deployment,
        there=f"{env} is deployed as the program has it",
        doing=f"pulumi up --stack {env}",
    )
    if target.secret is not None:
        yield _secret(target, state, target.secret)
    yield _model(target, state)
    if target.served:
        yield _answer(target, state)


def _step(kind: Kind, fact: bool | None, *, there: str, doing: str) -> Step:
    status: Status = "unknown" if fact is None else "done" if fact else "to do"
    return Step(kind=kind, status=status, said=there if fact else doing)


def _data(target: Target, state: State, key: str) -> Step:
    place = f"s3://{state.bucket}/{key}"
    if state.data is None:
        return Step(kind="data", status="unknown", said="look for the data")
    if state.data:
        kept = f"; {target.upload} is not uploaded" if target.upload else ""
        return Step(kind="data", status="done", said=f"there is data at {place}{kept}")
    if target.upload:
        return Step(kind="data", status="to do", said=f"upload {target.upload} to {place}")
    again = f"mlp projects launch {target.project} --env {target.environment}"
    said = (
        f"there is no data at {place} yet. Upload it, and type this again:\n"
        f"  aws s3 cp FILE {place}\n  {again}\n"
        f"or both at once: {again} --data FILE"
    )
    return Step(kind="data", status="blocked", said=said)


def _secret(target: Target, state: State, name: str) -> Step:
    if state.secret is None:
        return Step(kind="secret", status="unknown", said="look whether the database's address is there")
    if state.secret:
        return Step(kind="secret", status="done", said=f"the secret {name} has a value")
    said = (
        f"the secret {name} has no value yet. Write the database's address into a file that only you can read, as\n"
        '  {"url": "postgresql+psycopg://USER:PASSWORD@HOST:5432/DATABASE"}\n'
        "then type:\n"
        f"  aws secretsmanager put-secret-value --secret-id {name} --secret-string file://FILE\n"
        f"  mlp projects launch {target.project} --env {target.environment}"
    )
    return Step(kind="secret", status="blocked", said=said)


def _model(target: Target, state: State) -> Step:
    if state.aliases is None:
        return Step(kind="model", status="unknown", said="look which versions there are")
    if todo := missing_steps(state.aliases):
        words = ", ".join(" ".join(each) for each in todo)
        return Step(kind="model", status="to do", said=f"mlp {words}")
    said = f"version {state.aliases[PRODUCTION]} is in production"
    return Step(kind="model", status="done", said=said)


def _answer(target: Target, state: State) -> Step:
    if state.answered is not None:
        return Step(kind="answer", status="done", said=f"version {state.answered} answers")
    if target.request is None:
        said = (
            f"there is nothing to ask the model: write ml_workloads/projects/{target.project}/example.json, "
            f"or try `mlp predict {target.project} --env {target.environment} --data ROWS`"
        )
        return Step(kind="answer", status="blocked", said=said)
    return Step(kind="answer", status="to do", said="ask the model")
