"""Check for pods of a project that fit on no node of an environment. Pure, apart from reading a stack file.

The arithmetic ignores other pods and DaemonSets; `mlp placement` asks the real scheduler.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from components.accelerators import ACCELERATORS, NO_ACCELERATOR
from components.instance_sizes import smallest_of
from ml_workloads.project.quantities import cores, mebibytes
from ml_workloads.project.training import CONDUCTOR_CPU, WORKER_CPU
from ml_workloads.runtime.sample_check import Finding
from mlp.environments import SETTINGS_KEY, stack_file
from stacks.settings import PlatformSettings, parse_settings
from validation.errors import SettingsError

if TYPE_CHECKING:
    from components.eks.pool_spec import NodePoolSpec
    from ml_workloads.project import Project
    from ml_workloads.project.training import Resources

NODES: Final = "nodes"


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Nodes of one pool, with the size of its smallest instance type, because AWS may choose that one.

    `cpu` is in cores and `memory` in MiB; both are allocatable by pods. `efa` is the number of interfaces. `taints` are
    keys.
    """

    name: str
    instance_type: str
    cpu: Decimal
    memory: int
    accelerator: str
    devices: int
    efa: int
    taints: frozenset[str]


def settings_of(environment: str, stacks: Path) -> PlatformSettings:
    """Return an environment's settings.

    Raises:
        SettingsError: the file does not exist, or its settings are invalid.
    """
    path = stack_file(environment, stacks)
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        mapping = content["config"][SETTINGS_KEY]
    except UnicodeDecodeError as error:
        raise SettingsError(f"stacks/{path.name}: byte {error.start} is not UTF-8; save the file as UTF-8") from None
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise SettingsError(f"stacks/{path.name}: the settings of {environment} cannot be read: {error}") from None
    return parse_settings(mapping, f"stacks/{path.name}")


def pools_of(environment: str, stacks: Path) -> tuple[Pool, ...]:
    """Return the pools of an environment's settings. Raises SettingsError as `settings_of` does."""
    settings = settings_of(environment, stacks)
    return tuple(_pool(name, spec) for name, spec in settings.cluster.pools.items())


def check_nodes(project: Project, environment: str, pools: Sequence[Pool]) -> list[Finding]:
    """Return the problems with the requests of a project's pods, or one ok finding if each pod fits on a node."""
    plain = [pool for pool in pools if pool.accelerator == NO_ACCELERATOR and not pool.taints]
    problems = [*_accelerator(project, environment, pools), *_training(project, environment, pools, plain)]
    online = project.serving.online
    if online:
        problems += _too_large("serving.online.resources", online.resources, environment, plain)
    return [Finding(what=NODES, state="problem", said=each) for each in problems] or [
        Finding(what=NODES, state="ok", said=f"{environment} has nodes that its pods fit on")
    ]


def _accelerator(project: Project, environment: str, pools: Sequence[Pool]) -> Iterator[str]:
    wanted = project.training.accelerator
    if wanted is None or any(_has(pool, wanted.type, wanted.count) for pool in pools):
        return
    offered: dict[str, int] = {}
    for pool in pools:
        if pool.accelerator != NO_ACCELERATOR:
            offered[pool.accelerator] = max(pool.devices, offered.get(pool.accelerator, 0))
    known = ", ".join(f"{name} (up to {count} in a node)" for name, count in sorted(offered.items()))
    there = f"write one of {known}" if known else "leave training.accelerator out"
    yield (
        f"training.accelerator: {environment} has no pool with {wanted.count} {wanted.type} in a node; {there}, add "
        f"such a pool to stacks/Pulumi.{environment}.yaml, or take {environment} out of environments"
    )


def _training(project: Project, environment: str, pools: Sequence[Pool], plain: Sequence[Pool]) -> Iterator[str]:
    """Check the pods of a training.

    Conductor and worker have as much memory as the training, and run on nodes without accelerators.
    """
    wanted, resources = project.training.accelerator, project.training.resources
    if wanted is None:
        fitting = list(plain)
    else:
        taint = ACCELERATORS[wanted.type].vendor.taint.key
        fitting = [pool for pool in pools if _has(pool, wanted.type, wanted.count) and pool.taints <= {taint}]
        beside = resources.model_copy(update={"cpu": max(CONDUCTOR_CPU, WORKER_CPU, key=cores)})
        yield from _too_large("training.resources.memory, of the pod that conducts the run", beside, environment, plain)
        if not fitting:
            return
    yield from _efa(project, environment, fitting)
    fitting = [pool for pool in fitting if pool.efa >= project.training.efa]
    if fitting:
        yield from _too_large("training.resources", resources, environment, fitting)


def _efa(project: Project, environment: str, fitting: Sequence[Pool]) -> Iterator[str]:
    interfaces, wanted = project.training.efa, project.training.accelerator
    most = max((pool.efa for pool in fitting), default=0)
    if interfaces > most:
        beside = f" beside {wanted.count} {wanted.type}" if wanted else ""
        yield (
            f"training.efa: {environment} has no pool with {interfaces} EFA interfaces in a node{beside}, at the most "
            f"{most}; write efa: true for such a pool in stacks/Pulumi.{environment}.yaml, or ask for fewer"
        )


def _has(pool: Pool, accelerator: str, count: int) -> bool:
    return pool.accelerator == accelerator and pool.devices >= count


def _too_large(field: str, wanted: Resources, environment: str, pools: Sequence[Pool]) -> Iterator[str]:
    cpu, memory = cores(wanted.cpu), mebibytes(wanted.memory)
    if not pools or any(cpu <= pool.cpu and memory <= pool.memory for pool in pools):
        return
    largest = max(pools, key=lambda pool: (pool.memory, pool.cpu))
    offered = f"{largest.instance_type} of pool {largest.name} leaves {largest.cpu} cores and {largest.memory}Mi"
    yield (
        f"{field}: {wanted.cpu} cores and {wanted.memory} fit on no node of {environment}, whose {offered} for pods; "
        f"ask for less, or add a pool with larger nodes to stacks/Pulumi.{environment}.yaml"
    )


def _pool(name: str, spec: NodePoolSpec) -> Pool:
    smallest = smallest_of(spec.instance_types)
    left = smallest.allocatable(prefix_delegation=True)
    return Pool(
        name=name,
        instance_type=smallest.name,
        cpu=Decimal(left.millicores) / 1000,
        memory=left.memory_mib,
        accelerator=spec.accelerator,
        devices=smallest.devices,
        efa=spec.efa_interfaces,
        taints=frozenset(spec.taints),
    )
