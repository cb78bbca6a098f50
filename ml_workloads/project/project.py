"""The root of `project.yaml`: one project, validated as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, Strict, model_validator

from ml_workloads.project.data import DataSettings, SqlSource
from ml_workloads.project.names import Email, ProjectName, SecretNames, TeamName
from ml_workloads.project.quantities import Cpu, Memory, cores, mebibytes
from ml_workloads.project.serving import ServingSettings
from ml_workloads.project.training import CONDUCTOR_CPU, WORKER_CPU, TrainingSettings
from validation.base import Problem, Section, refuse, unique

Environments = Annotated[tuple[Literal["dev", "staging", "prod"], ...], Strict(False), AfterValidator(unique)]


class QuotaSettings(Section):
    """Quota for all pods of the project together, in each environment.
    https://kubernetes.io/docs/concepts/policy/resource-quotas/
    """

    cpu: Cpu
    """CPU requests of all pods: the training, 250m for the pod that conducts it, and the replicas with one more during
    a rollout."""
    memory: Memory
    """Memory of the same pods. The pod that conducts a training has as much as the training."""
    accelerators: int = Field(default=0, ge=0, le=1024)
    """Number of accelerator devices, of any type."""
    efa: int = Field(default=0, ge=0, le=1024)
    """Number of Elastic Fabric Adapter interfaces."""


class Project(Section):
    apiVersion: Literal["ml-platform/v1"]
    """Version of this file's schema."""
    name: ProjectName
    """Name of the project, its folder, its MLflow experiment and its registered model."""
    team: TeamName
    """The team that works on the project. Its namespaces begin with this name, and the team's access is granted by that
    prefix."""
    owner: Email
    """Contact for questions and notifications about the project."""
    description: str = Field(min_length=1, max_length=300)
    """The purpose of the model."""
    environments: Environments = Field(min_length=1)
    """Environments in which the project is deployed."""
    quota: QuotaSettings
    data: DataSettings
    training: TrainingSettings
    serving: ServingSettings = ServingSettings()
    secrets: SecretNames = ()
    """Secrets that its training and its servers may read, except the one of `data.source`. The platform creates them
    empty, and the team fills them."""

    @model_validator(mode="after")
    def parts_fit_together(self) -> Self:
        refuse(self._problems())
        return self

    @property
    def namespace(self) -> str:
        return f"{self.team}-{self.name}"

    def _problems(self) -> Iterator[Problem]:
        source = self.data.source
        if isinstance(source, SqlSource) and source.secret not in self.secrets:
            fix = f"list {source.secret} in secrets too, or name one of them"
            yield Problem(field="data.source.secret", value=source.secret, fix=fix)
        yield from self._beyond_quota()

    def _beyond_quota(self) -> Iterator[Problem]:
        """Yield a problem for each quota that is too small.

        Pods beyond the quota are never created, without an error at deployment. A rollout temporarily adds one replica.
        """
        quota, training, online = self.quota, self.training, self.serving.online
        replicas = online.most_replicas + 1 if online else 0
        used = f"a training run and {replicas} replicas (one more during a rollout)" if online else "a training run"
        # The conductor's pod runs beside the training, and beside the worker before and after the training. Each of the
        # three holds the same data.
        cpu = max(cores(training.resources.cpu), cores(WORKER_CPU)) + cores(CONDUCTOR_CPU)
        cpu += replicas * cores(online.resources.cpu) if online else 0
        memory = 2 * mebibytes(training.resources.memory)
        memory += replicas * mebibytes(online.resources.memory) if online else 0
        if cpu > cores(quota.cpu):
            yield Problem(
                field="quota.cpu", value=quota.cpu, fix=f'write "{cpu.normalize():f}" or more, {used} need it'
            )
        if memory > mebibytes(quota.memory):
            yield Problem(field="quota.memory", value=quota.memory, fix=f'write "{memory}Mi" or more, {used} need it')
        devices = training.accelerator.count if training.accelerator else 0
        if devices > quota.accelerators:
            fix = f"write {devices} or more, training needs them"
            yield Problem(field="quota.accelerators", value=quota.accelerators, fix=fix)
        if training.efa > quota.efa:
            fix = f"write {training.efa} or more, training needs them"
            yield Problem(field="quota.efa", value=quota.efa, fix=fix)
