"""Scale-up decision: the groups that get more nodes for pending pods, and the reasons for other pods.

The functions are pure, except for the expander `random`.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from .fit import lacking, less, why_not, why_not_placed
from .flags import Options
from .groups import Group, similar
from .objects import Node, Pod, Resources

AT_MAXIMUM = "max node group size reached"
NODES_TOTAL = "max total nodes in cluster reached"
NO_TEMPLATE = "unknown instance type or launch template"


@dataclass(frozen=True, kw_only=True)
class Room:
    """Existing or requested node, with its free resources."""

    node: Node
    free: Resources


@dataclass(frozen=True, kw_only=True)
class Increase:
    """Growth of `group` from its desired size to `size`, for these pods."""

    group: Group
    size: int
    pods: tuple[Pod, ...]


@dataclass(kw_only=True)
class Decision:
    """Result of a scale-up decision.

    `refused` maps the uid of a pod to the reason per group name why the group does not help.
    """

    increases: list[Increase] = field(default_factory=list["Increase"])
    refused: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])


@dataclass(frozen=True, kw_only=True)
class _Option:
    group: Group
    nodes: int
    pods: tuple[Pod, ...]


def decide(
    pending: Sequence[Pod],
    rooms: Sequence[Room],
    groups: Sequence[Group],
    options: Options,
    *,
    unhelpful: Mapping[str, str] | None = None,
    priorities: Mapping[int, Sequence[str]] | None = None,
) -> Decision:
    """Decide which groups grow for the pending pods.

    Args:
        pending: Pods that wait for a node.
        rooms: Free resources of existing and requested nodes.
        groups: All groups.
        options: Options of the autoscaler.
        unhelpful: Groups by name that must not grow now, with the reason.
        priorities: Table of the priority expander.
    """
    waiting = _not_placed(sorted(pending, key=_size, reverse=True), rooms)
    sizes = {group.name: group.desired for group in groups}
    room_for = (
        options.max_nodes_total - sum(sizes.values()) if options.max_nodes_total else options.max_nodes_per_scaleup
    )
    excluded = dict(unhelpful or {})
    decision = Decision()
    while waiting:
        found = [
            option
            for group in groups
            if group.name not in excluded
            and (option := _option(group, waiting, min(group.maximum - sizes[group.name], room_for)))
        ]
        if not found:
            break
        best = choose(found, options.expander, priorities or {})
        peers = [best.group]
        if options.balance_similar_node_groups:
            peers += [each.group for each in found if each is not best and similar(each.group, best.group)]
        added = _balance(best.nodes, peers, sizes)
        for group in peers:
            if group.name in added:
                decision.increases.append(Increase(group=group, size=added[group.name], pods=best.pods))
                room_for -= added[group.name] - sizes[group.name]
                excluded[group.name] = "scaled up just now"
        sizes |= added
        placed = {each.uid for each in best.pods}
        waiting = [each for each in waiting if each.uid not in placed]
    for pod in waiting:
        decision.refused[pod.uid] = {
            group.name: _refusal(pod, group, sizes[group.name], room_for, excluded) for group in groups
        }
    return decision


def choose(found: Sequence[_Option], expanders: Sequence[str], priorities: Mapping[int, Sequence[str]]) -> _Option:
    """Return the best option.

    Each expander keeps the options with its best score; the first of the remaining ones wins.
    """
    left = list(found)
    for expander in expanders:
        if expander == "random":
            return random.choice(left)  # noqa: S311
        score = _SCORES[expander] if expander != "priority" else _by_priority(priorities)
        best = min(score(each) for each in left)
        left = [each for each in left if score(each) == best]
    return left[0]


def words(reasons: Mapping[str, str]) -> str:
    """Return the reasons in the format of the original's event, with the names of the groups."""
    counts = Counter(reasons.values())
    return ", ".join(
        f"{count} {reason} ({', '.join(sorted(name for name, each in reasons.items() if each == reason))})"
        for reason, count in sorted(counts.items())
    )


def _size(pod: Pod) -> tuple[Decimal, Decimal]:
    return pod.requests.get("cpu", Decimal(0)), pod.requests.get("memory", Decimal(0))


def _not_placed(pods: Sequence[Pod], rooms: Sequence[Room]) -> list[Pod]:
    """Return the pods for which existing and requested nodes have no room."""
    free = [room.free for room in rooms]
    left: list[Pod] = []
    for pod in pods:
        for index, room in enumerate(rooms):
            if why_not(pod, room.node, free[index]) is None:
                free[index] = less(free[index], pod.requests)
                break
        else:
            left.append(pod)
    return left


def _option(group: Group, waiting: Sequence[Pod], limit: int) -> _Option | None:
    """Return the number of new nodes of a group (up to `limit`) and the pods that they hold.

    The algorithm is first fit. The caller sorts the pods, the largest first.
    """
    if group.template is None:
        return None
    nodes: list[Resources] = []
    placed: list[Pod] = []
    for pod in waiting:
        if why_not(pod, group.template, group.template.allocatable) is not None:
            continue
        for index, free in enumerate(nodes):
            if lacking(pod.requests, free) is None:
                nodes[index] = less(free, pod.requests)
                placed.append(pod)
                break
        else:
            if len(nodes) < limit:
                nodes.append(less(group.template.allocatable, pod.requests))
                placed.append(pod)
    return _Option(group=group, nodes=len(nodes), pods=tuple(placed)) if placed else None


def _balance(nodes: int, peers: Sequence[Group], sizes: Mapping[str, int]) -> dict[str, int]:
    """Return the new sizes by group name. Each node goes to the smallest group that may still grow."""
    new = {group.name: sizes[group.name] for group in peers}
    for _ in range(nodes):
        growing = [group for group in peers if new[group.name] < group.maximum]
        new[min(growing, key=lambda group: new[group.name]).name] += 1
    return {name: size for name, size in new.items() if size > sizes[name]}


def _refusal(pod: Pod, group: Group, size: int, room_for: int, excluded: Mapping[str, str]) -> str:
    if group.template is None:
        return NO_TEMPLATE
    reason = why_not_placed(pod, group.template) or lacking(pod.requests, group.template.allocatable)
    if reason:
        return reason
    if size >= group.maximum:
        return AT_MAXIMUM
    if room_for <= 0:
        return NODES_TOTAL
    return excluded.get(group.name, AT_MAXIMUM)


def _waste(option: _Option) -> Decimal:
    """Return the share of the new nodes' processors and memory that the pods leave unused."""
    assert option.group.template is not None  # noqa: S101
    shares: list[Decimal] = []
    for name in ("cpu", "memory"):
        there = option.group.template.allocatable.get(name, Decimal(0)) * option.nodes
        used = sum((pod.requests.get(name, Decimal(0)) for pod in option.pods), Decimal(0))
        shares.append((there - used) / there if there else Decimal(0))
    return sum(shares, Decimal(0))


def _most_pods(option: _Option) -> Decimal:
    return Decimal(-len(option.pods))


def _least_nodes(option: _Option) -> Decimal:
    return Decimal(option.nodes)


def _by_priority(priorities: Mapping[int, Sequence[str]]) -> Callable[[_Option], Decimal]:
    def score(option: _Option) -> Decimal:
        fitting = [
            number
            for number, patterns in priorities.items()
            if any(re.search(pattern, option.group.name) for pattern in patterns)
        ]
        return Decimal(-max(fitting)) if fitting else Decimal("Infinity")

    return score


_SCORES: dict[str, Callable[[_Option], Decimal]] = {
    "least-waste": _waste,
    "most-pods": _most_pods,
    "least-nodes": _least_nodes,
}
