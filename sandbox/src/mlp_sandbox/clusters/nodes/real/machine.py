"""Size of a node: the processors and memory that /proc and /sys show inside it.

The node announces its instance type's capacity, so that pods are placed as on AWS, on a machine of any size. Processors
are shared when pods need more than the machine has. Available memory is that of the machine, however much the node
announces.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from mlp_sandbox.clusters.model import NodeSpec
from mlp_sandbox.clusters.nodes.real.layout import NodeFolder

_CPUS = "/sys/devices/system/cpu"
_NUMA = "/sys/devices/system/node"
_MEMORY = "/proc/meminfo"

# Shares of the first, second, ... processor, in hundredths of a percent.
_CPU_SHARES = (600, 100, 50, 50)
_CPU_SHARE_BEYOND = 25
_MEMORY_PER_POD_MIB = 11
_MEMORY_BASE_MIB = 255


def reserved(cpus: int, max_pods: int) -> dict[str, str]:
    """Return the resources that Amazon's node images reserve for the system (kubeReserved).

    https://docs.aws.amazon.com/eks/latest/userguide/choosing-instance-type.html and nodeadm's kubelet defaults.
    """
    shares = (*_CPU_SHARES[:cpus], *[_CPU_SHARE_BEYOND] * max(0, cpus - len(_CPU_SHARES)))
    memory = _MEMORY_PER_POD_MIB * max_pods + _MEMORY_BASE_MIB
    return {"cpu": f"{sum(shares) // 10}m", "memory": f"{memory}Mi"}


def write(folder: NodeFolder, spec: NodeSpec) -> None:
    """Write files in the format of those that cAdvisor, which is part of the kubelet, reads."""
    processors = folder.machine / "cpu"
    shutil.rmtree(processors, ignore_errors=True)
    for number in range(spec.cpus):
        topology = processors / f"cpu{number}" / "topology"
        topology.mkdir(parents=True, exist_ok=True)
        (topology / "core_id").write_text(f"{number}\n")
        (topology / "physical_package_id").write_text("0\n")
        (topology.parent / "online").write_text("1\n")
    for name in ("online", "possible", "present"):
        (processors / name).write_text(f"0-{spec.cpus - 1}\n" if spec.cpus > 1 else "0\n")
    (folder.machine / "node").mkdir(exist_ok=True)
    total = spec.memory_mib * 1024
    amounts = {"MemTotal": total, "MemFree": total, "MemAvailable": total, "SwapTotal": 0, "SwapFree": 0}
    (folder.machine / "meminfo").write_text("".join(f"{name}: {amount} kB\n" for name, amount in amounts.items()))


def binds(folder: NodeFolder) -> tuple[tuple[str, str], ...]:
    """Return the bind mounts inside the node as (source, target).

    If the machine has NUMA nodes in /sys, they are hidden, because cAdvisor would count their processors.
    """
    found = [(str(folder.machine / "cpu"), _CPUS), (str(folder.machine / "meminfo"), _MEMORY)]
    if Path(_NUMA).exists():
        found.append((str(folder.machine / "node"), _NUMA))
    return tuple(found)
