"""How a project's model is served."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

from pydantic import Field, model_validator

from ml_workloads.project.training import Resources
from validation.base import Problem, Section, refuse


class AutoscalingSettings(Section):
    max_replicas: int = Field(ge=1, le=100)
    """Replicas that may run at the most."""
    target_cpu_percent: int = Field(default=70, ge=10, le=95)
    """Share of `resources.cpu` in use that replicas are added at.
    https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/"""


class OnlineSettings(Section):
    replicas: int = Field(default=1, ge=1, le=100)
    """Replicas that always run. From 2 on, they outlive the loss of a node."""
    resources: Resources
    autoscaling: AutoscalingSettings | None = None
    """More replicas under load; none if left out."""
    max_concurrency: int = Field(default=32, ge=1, le=1024)
    """Requests that a replica works on at once; more are answered with 503 and come again."""

    @model_validator(mode="after")
    def autoscaling_goes_up(self) -> Self:
        refuse(self._problems())
        return self

    @property
    def most_replicas(self) -> int:
        return self.autoscaling.max_replicas if self.autoscaling else self.replicas

    def _problems(self) -> Iterator[Problem]:
        if self.most_replicas < self.replicas:
            fix = f"write at least replicas, which is {self.replicas}"
            yield Problem(field="autoscaling.max_replicas", value=self.most_replicas, fix=fix)


class ServingSettings(Section):
    online: OnlineSettings | None = None
    """Answers requests over HTTP."""
