"""Finder of policy documents that allow too much."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from mlp.recording import Recorded

Document = dict[str, Any]


@dataclass(frozen=True)
class Wildcard:
    resource: str
    sid: str
    what: str


def documents(resources: Iterable[Recorded]) -> Iterator[tuple[Recorded, Document]]:
    """Yield every policy document among the inputs, under any property name."""
    for resource in resources:
        for value in resource.inputs.values():
            if isinstance(value, str) and value.lstrip().startswith("{"):
                parsed = json.loads(value)
                if "Statement" in parsed:
                    yield resource, parsed


def wildcards(resources: Iterable[Recorded]) -> Iterator[Wildcard]:
    """Yield allowing statements with a `*` inside an action, `*` as a resource, or everybody as a principal."""
    for resource, policy in documents(resources):
        for statement in policy["Statement"]:
            if statement["Effect"] != "Allow":
                continue
            sid = statement.get("Sid", "")
            for action in as_list(statement.get("Action", "NotAction *")):
                if "*" in action:
                    yield Wildcard(resource.name, sid, action)
            trust = "Resource" not in statement and "NotResource" not in statement
            for target in as_list([] if trust else statement.get("Resource", "*")):
                if target == "*":
                    yield Wildcard(resource.name, sid, "*")
            principal = statement.get("Principal", {})
            for kind in [principal] if isinstance(principal, str) else principal.values():
                if "*" in as_list(kind):
                    yield Wildcard(resource.name, sid, "principal *")


def as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
