"""Findings about the placement of pods, from the scheduler's own answers. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal

from mlp.placement.workloads import Workload

Kind = Literal[
    "unschedulable",
    "fits no group",
    "more accelerators than the groups have",
    "accelerators not announced",
    "accelerators not watched",
    "can land on accelerated nodes",
    "not on every node",
]


@dataclass(frozen=True, kw_only=True)
class Group:
    """Node group at its maximum: `nodes` nodes of its smallest instance type, each with `accelerators`."""

    name: str
    nodes: int
    instance_type: str
    cpus: float
    memory_gib: float
    accelerators: Mapping[str, int] = field(default_factory=dict[str, int])
    accelerator: str = ""


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Scheduling result of one pod. If it was not placed, `group` is None, and `reason` is the scheduler's message.

    `pinned` names the group of the node that a DaemonSet's pod is for. `probe` marks a pod without accelerators that
    was offered only accelerated nodes, to check that something keeps it off them.
    """

    workload: Workload
    group: str | None
    reason: str = ""
    pinned: str | None = None
    probe: bool = False


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Numbers of a workload's pods: those that were placed, in all and by group, and those that it wants."""

    workload: str
    placed: int
    wanted: int
    groups: Mapping[str, int]

    def as_dict(self) -> dict[str, int | dict[str, int]]:
        """Return the document for `--json`, which names the workload beside it."""
        return {"placed": self.placed, "wanted": self.wanted, "groups": dict(self.groups)}


@dataclass(frozen=True, kw_only=True)
class Finding:
    kind: Kind
    subject: str
    reason: str
    fix: str

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


def findings(groups: Sequence[Group], placements: Sequence[Placement], found: Sequence[Workload]) -> list[Finding]:
    """Return all findings, the most severe kind first."""
    return [
        *_sums(groups, found),
        *_unplaced(groups, placements),
        *_not_on_every_node(placements),
        *_covered(groups, placements, found),
        *_strays(placements),
    ]


def eligible_but_full(reason: str) -> bool:
    """Return whether a DaemonSet's pod does not fit on its node for lack of resources, although it belongs there."""
    return any(word in reason for word in ("Insufficient", "Too many pods", "free ports"))


def _unplaced(groups: Sequence[Group], placements: Sequence[Placement]) -> Iterator[Finding]:
    waiting = [each for each in placements if not each.probe and each.pinned is None and each.group is None]
    counts = Counter(each.workload.title for each in waiting)
    for title, count in counts.items():
        first = next(each for each in waiting if each.workload.title == title)
        asked = first.workload.accelerators
        able = [group for group in groups if _has(group, first.workload)]
        if not able:
            yield Finding(
                kind="fits no group",
                subject=title,
                reason=f"a pod asks for {_wants(first.workload)}, and no node of any group has that. "
                f"The scheduler says: {first.reason}",
                fix=f"ask for what one node has ({_offers(groups)}), or add a pool",
            )
            continue
        yield Finding(
            kind="unschedulable",
            subject=title,
            reason=f"{count} of {first.workload.replicas} pods find no node, with every group at its maximum. "
            f"The scheduler says: {first.reason}",
            fix=_hint(first.reason, asked, able),
        )


def _hint(reason: str, asked: Mapping[str, int], able: Sequence[Group]) -> str:
    if "untolerated taint" in reason and asked:
        return f"add the toleration for {', '.join(sorted(asked))}:NoSchedule to the pod template"
    if "didn't match Pod's node affinity/selector" in reason:
        labels = sorted({f"accelerator={group.accelerator}" for group in able if group.accelerator})
        return f"correct nodeSelector or affinity; accelerated groups carry {', '.join(labels) or 'no such label'}"
    if "Insufficient" in reason or "Too many pods" in reason:
        return "lower the requests or replicas, or raise max_size of a pool that fits"
    return "correct the pod's requests, selectors and tolerations, or add a pool that fits"


def _not_on_every_node(placements: Sequence[Placement]) -> Iterator[Finding]:
    full = [each for each in placements if each.pinned and each.group is None and eligible_but_full(each.reason)]
    for title, group in sorted({(each.workload.title, str(each.pinned)) for each in full}):
        reason = next(each.reason for each in full if each.workload.title == title and each.pinned == group)
        yield Finding(
            kind="not on every node",
            subject=title,
            reason=f"its pod does not fit on nodes of group {group}. The scheduler says: {reason}",
            fix="lower its requests, or use larger instance types in that pool",
        )


def _covered(groups: Sequence[Group], placements: Sequence[Placement], found: Sequence[Workload]) -> Iterator[Finding]:
    for role, kind, why in (
        ("device plugin", "accelerators not announced", "pods that ask for them stay pending for ever"),
        ("exporter", "accelerators not watched", "their use and errors are not measured"),
    ):
        if role == "exporter" and not any(each.role == role for each in found):
            continue  # no exporter runs anywhere: a decision, not an oversight about one group
        for group in groups:
            here = [each for each in placements if each.pinned == group.name and each.workload.role == role]
            if len({each.workload.title for each in here if each.group}) < _needed(role, group):
                reasons = "; ".join(f"{each.workload.title}: {each.reason}" for each in _first_of_each(here))
                yield Finding(
                    kind=kind,  # type: ignore[arg-type]
                    subject=f"group {group.name}",
                    reason=f"no {role} runs on its nodes, so {why}" + (f" ({reasons})" if reasons else ""),
                    fix=f"let the {role}'s DaemonSet select accelerator={group.accelerator} and tolerate the taint",
                )


def _needed(role: str, group: Group) -> int:
    """Return the number of DaemonSets of a role that a group's nodes need.

    A device plugin advertises the resources of one vendor.
    """
    vendors = {name.partition("/")[0] for name in group.accelerators}
    return len(vendors) if role == "device plugin" else min(1, len(vendors))


def _strays(placements: Sequence[Placement]) -> Iterator[Finding]:
    """Yield workloads that can land on accelerated nodes without requesting a device.

    Such a pod tolerates the taint and selects no node, so it may occupy an accelerated node without using it.
    """
    landed = [each for each in placements if each.probe and each.group]
    for title in sorted({each.workload.title for each in landed}):
        where = sorted({str(each.group) for each in landed if each.workload.title == title})
        yield Finding(
            kind="can land on accelerated nodes",
            subject=title,
            reason=f"it asks for no accelerator, and nothing keeps it off group {', '.join(where)}",
            fix="remove the toleration from its pod template, or taint the group",
        )


def _sums(groups: Sequence[Group], found: Sequence[Workload]) -> Iterator[Finding]:
    for resource in sorted({name for each in found for name in each.accelerators}):
        asked = {each.title: each.replicas * each.accelerators.get(resource, 0) for each in found if not each.is_daemon}
        most = sum(group.nodes * group.accelerators.get(resource, 0) for group in groups)
        total = sum(asked.values())
        if total > most:
            who = ", ".join(f"{title} {amount}" for title, amount in asked.items() if amount)
            yield Finding(
                kind="more accelerators than the groups have",
                subject=resource,
                reason=f"all workloads together ask for {total} ({who}), the groups have {most} at their maximum",
                fix="raise max_size of a pool, or lower replicas or parallelism",
            )


def _has(group: Group, workload: Workload) -> bool:
    return (
        all(group.accelerators.get(name, 0) >= amount for name, amount in workload.accelerators.items())
        and group.cpus >= workload.cpus
        and group.memory_gib >= workload.memory_gib
    )


def _wants(workload: Workload) -> str:
    parts = [f"{workload.cpus:g} CPUs", f"{workload.memory_gib:g} GiB", _amounts(workload.accelerators)]
    return ", ".join(part for part in parts if part)


def _offers(groups: Sequence[Group]) -> str:
    return "; ".join(
        ", ".join(
            filter(
                None, (f"{each.name}: {each.cpus:g} CPUs", f"{each.memory_gib:.1f} GiB", _amounts(each.accelerators))
            )
        )
        for each in groups
    )


def _amounts(amounts: Mapping[str, int]) -> str:
    return ", ".join(f"{amount} {name}" for name, amount in sorted(amounts.items()))


def _first_of_each(placements: Sequence[Placement]) -> list[Placement]:
    return list({each.workload.title: each for each in placements}.values())


def summary(placements: Sequence[Placement]) -> list[Summary]:
    """Return per workload how many of its pods were placed, and in which groups."""
    pods: dict[str, list[Placement]] = {}
    for each in placements:
        if not each.probe:
            pods.setdefault(each.workload.title, []).append(each)
    return [_summary(title, each) for title, each in pods.items()]


def _summary(workload: str, placements: Sequence[Placement]) -> Summary:
    # A DaemonSet is not meant for every node.
    wanted = [each for each in placements if each.group or not each.pinned or eligible_but_full(each.reason)]
    groups = Counter(each.group for each in wanted if each.group)
    return Summary(workload=workload, placed=groups.total(), wanted=len(wanted), groups=groups)
