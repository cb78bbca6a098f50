"""The last step of `mlp sandbox demo`: each project with an example has a model in production that answers."""

from __future__ import annotations

from collections.abc import Iterator

from mlp.console import console
from mlp.projects.commands import Answer, Commands
from mlp.projects.environment import served_examples
from mlp_sandbox.environment import process_environment
from mlp_sandbox.instance import PROJECT, Instance

__all__ = ["Answer", "first_answers"]


def first_answers(instance: Instance, stack: str) -> Iterator[Answer]:
    """Train, promote and ask each project, and leave out the steps that are done. Raises PlainError."""
    mlp = Commands(stack=stack, again="`mlp sandbox demo`", variables=process_environment(instance), root=PROJECT)
    for project, example in served_examples(stack).items():
        console.print(f"[bold]{project}[/bold]")
        version = mlp.model_in_production(project)
        yield mlp.ask(project, version, str(example))
