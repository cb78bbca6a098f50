"""The Kubernetes objects of a program, and the pods that they create."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mlp.recording import Recorded
from tests.contract.programs import Program


@dataclass(frozen=True)
class Pod:
    owner: Recorded
    namespace: str
    labels: dict[str, str]
    spec: dict[str, Any]

    @property
    def title(self) -> str:
        return f"{self.owner.inputs['kind']} {self.namespace}/{self.owner.inputs['metadata']['name']}"


def objects(environment: Program) -> list[Recorded]:
    return [resource for resource in environment.resources if resource.typ.startswith("kubernetes:")]


def of_kind(environment: Program, kind: str) -> list[Recorded]:
    return [each for each in objects(environment) if each.inputs["kind"] == kind]


def pods(environment: Program) -> Iterator[Pod]:
    for each in objects(environment):
        spec = each.inputs.get("spec") or {}
        job = (spec.get("jobTemplate") or {}).get("spec") or {}
        template = spec.get("template") or job.get("template")
        if template:
            labels = template["metadata"].get("labels", {})
            yield Pod(each, each.inputs["metadata"]["namespace"], labels, template["spec"])
