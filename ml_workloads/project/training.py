"""Settings of training a project's model: entry point, resources, schedule, deadline and quality gate."""

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
"""CPU request of the pod that conducts a run. Its memory equals the training's, because it reads the same data."""

WORKER_CPU: Final = "250m"
"""CPU request of the worker, which runs the project's code for the conductor before and after the training."""


def _accelerator(text: str) -> str:
    if text not in ACCELERATORS:
        raise ValueError(f"write one of {', '.join(sorted(ACCELERATORS))}")
    return text


class Resources(Section):
    cpu: Cpu
    """CPU that a pod is guaranteed. It may use more if its node has idle cores."""
    memory: Memory
    """Memory that a pod gets, and its limit: beyond it the kernel kills the process."""


class AcceleratorSettings(Section):
    type: Annotated[
        str,
        AfterValidator(_accelerator),
        Allowed(", ".join(sorted(ACCELERATORS))),
        WithJsonSchema({"type": "string", "enum": sorted(ACCELERATORS)}),
    ]
    """Name of the accelerator in the platform's table. A pool of the environment must have it."""
    count: int = Field(default=1, ge=1, le=16)
    """Number of accelerators, all in one node."""


class GateSettings(Section):
    metric: Metric
    """Metric that the gate checks, measured on the held-out data."""
    minimum: float | None = Field(default=None, allow_inf_nan=False)
    """Lower bound for accuracy, precision, recall, f1, roc_auc or r2, 0 to 1."""
    maximum: float | None = Field(default=None, allow_inf_nan=False)
    """Upper bound for rmse or mae, in the unit of the target."""
    max_regression: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """Maximum amount by which a new model may be worse than the model that has the alias now."""

    @model_validator(mode="after")
    def the_bound_fits_the_metric(self) -> Self:
        refuse(self._problems())
        return self

    @property
    def bound(self) -> float:
        """Return the one bound that the gate has.

        Raises:
            ValueError: the settings were made without validation, and have no bound.
        """
        bound = self.maximum if self.minimum is None else self.minimum
        if bound is None:
            raise ValueError("the gate has neither minimum nor maximum")
        return bound

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
    """The training function. It receives inputs and target, and returns a model with scikit-learn's interface."""
    holdout: float = Field(default=0.2, ge=0.05, le=0.5)
    """Share of the data that is held out: the training function never sees it, and the model is evaluated on it."""
    resources: Resources
    accelerator: AcceleratorSettings | None = None
    """Accelerators of the training pod; none if left out."""
    efa: int = Field(default=0, ge=0, le=32)
    """Elastic Fabric Adapter interfaces of the training pod, for training on several nodes. A pool of the environment
    must have as many in a node, by `efa: true`.
    https://docs.aws.amazon.com/eks/latest/userguide/node-efa.html"""
    schedule: Schedule | None = None
    """Schedule of the training. Without one only `mlp train` starts a run."""
    paused: bool = False
    """Pauses the schedule: no run starts by itself, and `mlp train` still works."""
    deadline_minutes: int = Field(default=60, ge=1, le=10080)
    """Deadline in minutes after which a run is ended, for all its attempts together."""
    retries: int = Field(default=1, ge=0, le=10)
    """Number of times that a failed pod is restarted. Failures because of code or data, and not of the node, are not
    retried."""
    gate: GateSettings
    trusted_types: TrustedTypes = ()
    """The project's own types that its saved model holds, such as a transformer. Types of scikit-learn need not be
    listed."""
