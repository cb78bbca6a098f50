"""Status for `kubectl -n kube-system describe configmap cluster-autoscaler-status`, and the metrics."""

from __future__ import annotations

from datetime import UTC, datetime

import yaml

from .autoscaler import Autoscaler, View
from .groups import usable


def text(view: View) -> str:
    """Return the status as YAML in the original's format, with the parts that exist here."""
    ready = sum(usable(node) for node in view.nodes)
    groups = [
        {
            "name": group.name,
            "health": {
                "status": "Healthy",
                "cloudProviderTarget": group.desired,
                "minSize": group.minimum,
                "maxSize": group.maximum,
                "nodeCounts": {
                    "registered": {
                        "total": sum(each is group for each in view.of_node.values()),
                        "notStarted": view.upcoming.get(group.name, 0),
                    }
                },
            },
        }
        for group in view.groups
    ]
    return yaml.safe_dump(
        {
            "time": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
            "autoscalerStatus": "Running",
            "clusterWide": {"health": {"nodeCounts": {"registered": {"total": len(view.nodes), "ready": ready}}}},
            "nodeGroups": groups,
        },
        sort_keys=False,
    )


def metrics(view: View, autoscaler: Autoscaler, errors: int) -> dict[str, float]:
    """Return the metrics by name.

    https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/proposals/metrics.md
    """
    return {
        "cluster_autoscaler_cluster_safe_to_autoscale": 1,
        'cluster_autoscaler_nodes_count{state="ready"}': len(view.nodes) - view.unready,
        'cluster_autoscaler_nodes_count{state="unready"}': view.unready,
        "cluster_autoscaler_node_groups_count": len(view.groups),
        "cluster_autoscaler_unschedulable_pods_count": len(view.pending),
        "cluster_autoscaler_scaled_up_nodes_total": autoscaler.added,
        "cluster_autoscaler_scaled_down_nodes_total": autoscaler.removed,
        "cluster_autoscaler_errors_total": errors,
    }
