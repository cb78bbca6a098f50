"""Removal of nodes: they are marked, drained by evictions if necessary, and then their instances are terminated."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from .aws import Aws, AwsError
from .cluster import Cluster, ClusterError
from .flags import Options
from .groups import DELETION_TAINT, Group, usable
from .objects import Node, Pod
from .scale_down import Unneeded, to_move, utilization, why_needed
from .scale_up import Room

_log = logging.getLogger(__name__)


class Removal:
    def __init__(self, options: Options, aws: Aws, cluster: Cluster) -> None:
        self._options = options
        self._aws = aws
        self._cluster = cluster
        self._unneeded = Unneeded()
        self._until: dict[str, float] = {}  # nodes being drained, with their deadlines
        self._terminated: set[str] = set()
        self.count = 0

    @property
    def unneeded(self) -> Mapping[str, float]:
        return self._unneeded.since

    def step(
        self,
        nodes: Sequence[Node],
        on: Mapping[str, Sequence[Pod]],
        of_node: Mapping[str, Group],
        rooms: Sequence[Room],
        now: float,
        *,
        calm: bool,
    ) -> None:
        """Continue the removal of nodes. If `calm`, also start to remove more nodes."""
        by_name = {node.name: node for node in nodes}
        self._until = {name: until for name, until in self._until.items() if name in by_name}
        self._terminated &= set(by_name)
        for node in nodes:
            if node.name in self._until:
                self._empty(node, on[node.name], now)
            elif node.name not in self._terminated and any(each.key == DELETION_TAINT for each in node.taints):
                self._mark(node, going=False)  # left by a program that ended half-way
        names = self._candidates(nodes, on, of_node, rooms)
        self._unneeded.update(names, now)
        if not calm:
            return
        groups = {name: of_node[name] for name in names}
        for name in self._unneeded.due(groups, len(self._until), self._options, now):
            pods = to_move(on[name])
            # Only one node at a time is drained. Empty nodes are not limited by this.
            if (not pods or not self._until) and self._mark(by_name[name], going=True):
                _log.info("scale-down: node %s of %s is not needed", name, of_node[name].name)
                self._until[name] = now + self._options.max_graceful_termination_sec
                self._empty(by_name[name], on[name], now)

    def _candidates(
        self,
        nodes: Sequence[Node],
        on: Mapping[str, Sequence[Pod]],
        of_node: Mapping[str, Group],
        rooms: Sequence[Room],
    ) -> list[str]:
        """Return nodes that are not needed, on the assumption that the previous ones in the list are gone."""
        found: list[str] = []
        for node in sorted(nodes, key=lambda each: utilization(each, on[each.name])):
            going = node.name in self._until or node.name in self._terminated
            if node.name not in of_node or going or not usable(node):
                continue
            others = [room for room in rooms if room.node.name not in (node.name, *found)]
            reason = why_needed(node, on[node.name], others, self._options)
            if reason is None:
                found.append(node.name)
            else:
                _log.debug("node %s stays: %s", node.name, reason)
        return found

    def _empty(self, node: Node, pods: Sequence[Pod], now: float) -> None:
        left = to_move(pods)
        if not left:
            self._terminate(node)
        elif now > self._until[node.name]:
            _log.warning("node %s: %d pod(s) did not leave in time; it stays", node.name, len(left))
            del self._until[node.name]
            self._mark(node, going=False)
        else:
            for pod in left:
                if not pod.ending:
                    self._evict(pod)

    def _terminate(self, node: Node) -> None:
        del self._until[node.name]
        try:
            self._aws.terminate(node.instance_id or "")
        except AwsError as error:
            _log.error("node %s: its instance %s is not terminated: %s", node.name, node.instance_id, error)
            self._mark(node, going=False)
            return
        self._terminated.add(node.name)
        self.count += 1
        try:
            self._cluster.node_event(node, "ScaleDown", "node removed by cluster autoscaler")
        except ClusterError as error:
            _log.warning("no event on node %s: %s", node.name, error)

    def _evict(self, pod: Pod) -> None:
        try:
            if not self._cluster.evict(pod):
                _log.info("pod %s/%s: its disruption budget does not allow an eviction yet", pod.namespace, pod.name)
        except ClusterError as error:
            _log.warning("pod %s/%s is not evicted: %s", pod.namespace, pod.name, error)

    def _mark(self, node: Node, *, going: bool) -> bool:
        try:
            self._cluster.mark(node.name, going=going)
        except ClusterError as error:
            _log.warning("node %s is not %s: %s", node.name, "marked" if going else "unmarked", error)
            return False
        return True
