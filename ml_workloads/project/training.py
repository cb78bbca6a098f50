"""How a project's model is trained: what runs, with how much, when, for how long, and what it has to reach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from components.accelerators import ACCELERATORS
from ml_workloads.project.names import PythonObject
from ml_workloads.project.quantities import Cpu, Memory
from ml_workloads.project.schedule import Schedule
from ml_workloads.project.trust import TrustedTypes
from ml_workloads.runtime.gate import ERRORS, Metric
from validation.base import Allowed, Problem, Section, refuse

CONDUCTOR_CPU: Final = "250m"
"""What the pod gets for sure that conducts a run. It has as much memory as the training, whose data it reads."""

WORKER_CPU: Final = "250m"
"""The same of the pod that answers for the project's code before and after the training."""


def _accelerator(text: str) -> str:
    if text not in ACCELERATORS:
        raise ValueError(f"write one of {', '.join(sorted(ACCELERATORS))}")
    return text


class Resources(Section):
    cpu: Cpu
    """What a pod gets for sure; it may use more where its node has some to spare."""
    memory: Memory
    """What a pod gets, and never more: beyond it the kernel kills the process."""


class AcceleratorSettings(Section):
    type: Annotated[
        str,
        AfterValidator(_accelerator),
        Allowed(", ".join(sorted(ACCELERATORS))),
        WithJsonSchema({"type": "string", "enum": sorted(ACCELERATORS)}),
    ]
    """By its name in the platform's table; a pool of the environment must have it."""
    count: int = Field(default=1, ge=1, le=16)
    """How many of them, all in one node."""


class GateSettings(Section):
    metric: Metric
    """What decides, measured on the data that was held out."""
    minimum: float | None = Field(default=None, allow_inf_nan=False)
    """What accuracy, precision, recall, f1, roc_auc or r2 must reach, 0 to 1."""
    maximum: float | None = Field(default=None, allow_inf_nan=False)
    """What rmse or mae must not exceed, in the unit of the target."""
    max_regression: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """How much worse than the model which has the alias now a new one may be."""

    @model_validator(mode="after")
    def the_bound_fits_the_metric(self) -> Self:
        refuse(self._problems())
        return self

    def _problems(self) -> Iterator[Problem]:
        wanted, other = ("maximum", "minimum") if self.metric in ERRORS else ("minimum", "maximum")
        values: Mapping[str, float | None] = {"minimum": self.minimum, "maximum": self.maximum}
        bound, senseless = values[wanted], values[other]
        if senseless is not None:
            yield Problem(field=other, value=senseless, fix=f"write {wanted} instead, the gate looks at {self.metric}")
        elif bound is None:
            yield Problem(field=wanted, value=None, fix=f"add it, the gate looks at {self.metric}")
        elif self.metric == "r2":
            if not bound <= 1:
                yield Problem(field=wanted, value=bound, fix="write at most 1, r2 is never above")
        elif self.metric not in ERRORS and not 0 < bound <= 1:
            yield Problem(field=wanted, value=bound, fix=f"write more than 0 and at most 1, {self.metric} is a share")
        elif bound < 0:
            yield Problem(field=wanted, value=bound, fix=f"write 0 or more, {self.metric} is never below")


class TrainingSettings(Section):
    entrypoint: PythonObject
    """The function that trains; it is given inputs and target, and returns a model in scikit-learn's manner."""
    holdout: float = Field(default=0.2, ge=0.05, le=0.5)
    """Share of the data that the function never sees, and its model is measured on."""
    resources: Resources
    accelerator: AcceleratorSettings | None = None
    """Devices for the training pod; none if left out."""
    efa: int = Field(default=0, ge=0, le=32)
    """Elastic Fabric Adapter interfaces for the training pod, for work on several nodes; a pool of the environment must
    have so many in a node, by `efa: true`.
    https://docs.aws.amazon.com/eks/latest/userguide/node-efa.html"""
    schedule: Schedule | None = None
    """When it runs by itself; without one only `mlp train` starts a run."""
    paused: bool = False
    """Whether the schedule rests: no run starts by itself then, and `mlp train` still works."""
    deadline_minutes: int = Field(default=60, ge=1, le=10080)
    """After so long a run is ended, all its attempts together."""
    retries: int = Field(default=1, ge=0, le=10)
    """How often a failed pod is started anew. What fails by its code or data, and not by its node, is not."""
    gate: GateSettings
    trusted_types: TrustedTypes = ()
    """Types of the project's own that its saved model holds, such as a transformer; scikit-learn's need no mention."""
