"""One turn of the loop: observe the cluster, grow groups for pending pods, and remove nodes that are not needed."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from .aws import Aws, AwsError
from .cluster import Cluster, ClusterError
from .fit import less, taken
from .flags import Options
from .groups import (
    DELETION_TAINT,
    Group,
    template_from_node,
    template_from_type,
    usable,
    with_daemon_sets,
)
from .objects import Node, Pod
from .removal import Removal
from .scale_up import Decision, Room, decide, words

BACKOFF_SECONDS = 300.0
_log = logging.getLogger(__name__)


@dataclass(kw_only=True)
class View:
    """State of the cluster in one turn.

    Attributes:
        on: Pods by the name of their node.
        of_node: Group of each node, by node name.
    """

    groups: list[Group]
    nodes: list[Node]
    pending: list[Pod]
    on: Mapping[str, list[Pod]]
    of_node: Mapping[str, Group]
    rooms: list[Room] = field(default_factory=list["Room"])
    upcoming: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def unready(self) -> int:
        return sum(not usable(node) for node in self.nodes)


class Autoscaler:
    def __init__(self, options: Options, aws: Aws, cluster: Cluster) -> None:
        self._options = options
        self._aws = aws
        self._cluster = cluster
        self._removal = Removal(options, aws, cluster)
        self._grown_at: dict[str, float] = {}
        self._backoff: dict[str, tuple[float, str]] = {}
        self._last_growth = float("-inf")
        self.added = 0

    @property
    def removed(self) -> int:
        return self._removal.count

    def turn(self, now: float) -> View:
        """Run one turn and return its view. Raises the errors of the two APIs if they do not respond.

        Args:
            now: Time in seconds of a monotonic clock.
        """
        view = self._look(now)
        if self._options.enforce_node_group_min_size:
            for group in view.groups:
                if group.desired < group.minimum:
                    self._grow(group, group.minimum, (), now)
        decision = self._decide(view, now)
        for increase in decision.increases:
            self._grow(increase.group, increase.size, increase.pods, now)
        self._refuse(view.pending, decision)
        if self._options.scale_down_enabled:
            calm = not decision.increases and now - self._last_growth >= self._options.scale_down_delay_after_add
            self._removal.step(view.nodes, view.on, view.of_node, view.rooms, now, calm=calm)
        return view

    def _look(self, now: float) -> View:
        nodes, pods, daemon_pods = self._cluster.nodes(), self._cluster.pods(), self._cluster.daemon_pods()
        on: dict[str, list[Pod]] = {node.name: [] for node in nodes}
        for pod in pods:
            if pod.node in on:
                on[pod.node].append(pod)
        groups: list[Group] = []
        of_node: dict[str, Group] = {}
        for bare in self._aws.groups(self._options):
            members = [node for node in nodes if node.instance_id in bare.instances]
            group = replace(bare, template=self._template(bare, members, daemon_pods))
            groups.append(group)
            of_node |= {node.name: group for node in members}
        view = View(groups=groups, nodes=nodes, pending=self._pending(pods), on=on, of_node=of_node)
        view.rooms = [
            Room(node=node, free=less(node.allocatable, taken(on[node.name])))
            for node in nodes
            if usable(node) and not any(taint.key == DELETION_TAINT for taint in node.taints)
        ]
        for group in groups:
            self._expect(group, view, now)
        return view

    def _template(self, group: Group, members: Sequence[Node], daemon_pods: Sequence[Pod]) -> Node | None:
        """Return the template of a group's new node: a copy of an existing node, or else derived from data of AWS."""
        good = [node for node in members if usable(node)]
        if good:
            return with_daemon_sets(template_from_node(good[0]), daemon_pods)
        try:
            node_group = self._aws.node_group(group)
            instance_type = self._aws.instance_type(group, node_group)
        except AwsError as error:
            _log.warning("no template for group %s: %s", group.name, error)
            return None
        if instance_type is None:
            _log.warning("no template for group %s: nothing tells its instance type", group.name)
            return None
        return with_daemon_sets(template_from_type(group, instance_type, node_group), daemon_pods)

    def _expect(self, group: Group, view: View, now: float) -> None:
        """Count starting nodes of a group as room, until their time limit. After that, the group is in backoff."""
        there = sum(usable(node) for node in view.nodes if view.of_node.get(node.name) is group)
        missing = group.desired - there
        if missing <= 0 or group.template is None:
            self._grown_at.pop(group.name, None)
            return
        asked = self._grown_at.setdefault(group.name, now)
        if now - asked > self._options.max_node_provision_time:
            self._grown_at[group.name] = now
            self._backoff[group.name] = (now + BACKOFF_SECONDS, "in backoff after failed scale-up")
            _log.warning("group %s: %d node(s) are not ready in time", group.name, missing)
            return
        if group.name in self._backoff:
            return
        view.upcoming[group.name] = missing
        view.rooms += [Room(node=group.template, free=group.template.allocatable)] * missing

    def _pending(self, pods: Sequence[Pod]) -> list[Pod]:
        found: list[Pod] = []
        for pod in pods:
            waits = pod.unschedulable_since is not None and pod.node is None and not pod.ending
            old = _age(pod.created) >= self._options.new_pod_scale_up_delay
            matters = pod.priority >= self._options.expendable_pods_priority_cutoff and not pod.belongs_to_node
            if waits and old and matters and pod.phase == "Pending":
                found.append(pod)
        return found

    def _decide(self, view: View, now: float) -> Decision:
        self._backoff = {name: until for name, until in self._backoff.items() if until[0] > now}
        priorities = self._cluster.priorities() if "priority" in self._options.expander and view.pending else {}
        unhelpful = {name: reason for name, (_, reason) in self._backoff.items()}
        return decide(view.pending, view.rooms, view.groups, self._options, unhelpful=unhelpful, priorities=priorities)

    def _grow(self, group: Group, size: int, pods: Sequence[Pod], now: float) -> None:
        change = f"{group.name} {group.desired}->{size} (max: {group.maximum})"
        try:
            self._aws.set_size(group, size)
        except AwsError as error:
            _log.error("scale-up of %s failed: %s", change, error)
            self._backoff[group.name] = (now + BACKOFF_SECONDS, "in backoff after failed scale-up")
            for pod in pods:
                self._tell(pod, "FailedScaleUp", f"pod's scale-up failed: [{{{change}}}]: {error}", "Warning")
            return
        _log.info("scale-up: %s", change)
        self._last_growth = self._grown_at[group.name] = now
        self.added += size - group.desired
        for pod in pods:
            self._tell(pod, "TriggeredScaleUp", f"pod triggered scale-up: [{{{change}}}]")

    def _refuse(self, pending: Sequence[Pod], decision: Decision) -> None:
        for pod in pending:
            reasons = decision.refused.get(pod.uid)
            if reasons is not None:
                said = words(reasons) or "there is no node group"
                self._tell(pod, "NotTriggerScaleUp", f"pod didn't trigger scale-up: {said}")

    def _tell(self, pod: Pod, reason: str, message: str, kind: str = "Normal") -> None:
        try:
            self._cluster.pod_event(pod, reason, message, kind)
        except ClusterError as error:
            _log.warning("no event on pod %s/%s: %s", pod.namespace, pod.name, error)


def _age(created: str) -> float:
    """Return the seconds since a timestamp of the API server. A pod without a timestamp counts as old."""
    if not created:
        return float("inf")
    return (datetime.now(UTC) - datetime.fromisoformat(created.replace("Z", "+00:00"))).total_seconds()
