"""Settings of serving a project's model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

from pydantic import Field, model_validator

from ml_workloads.project.training import Resources
from validation.base import Problem, Section, refuse


class AutoscalingSettings(Section):
    max_replicas: int = Field(ge=1, le=100)
    """Maximum number of replicas."""
    target_cpu_percent: int = Field(default=70, ge=10, le=95)
    """CPU utilisation, in percent of `resources.cpu`, above which replicas are added.
    https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/"""


class OnlineSettings(Section):
    replicas: int = Field(default=1, ge=1, le=100)
    """Number of replicas that always run. With 2 or more, serving survives the loss of a node."""
    resources: Resources
    autoscaling: AutoscalingSettings | None = None
    """Autoscaling under load. Without it the number of replicas is constant."""
    max_concurrency: int = Field(default=32, ge=1, le=1024)
    """Maximum number of requests that a replica processes at once. Further requests are answered with 503, and the
    client has to retry."""

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
    """A server that answers requests over HTTP."""
