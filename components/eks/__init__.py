"""Kubernetes cluster of an environment: control plane, access entries, add-ons, and node groups."""

from components.eks.access import Access, AccessArgs, SignIn, Team
from components.eks.addons import NodeAddons, NodeAddonsArgs, ServiceAddons, ServiceAddonsArgs
from components.eks.arguments import ClusterArgs, ClusterHandle, NodeGroupArgs, NodePool
from components.eks.cluster import Cluster
from components.eks.node_groups import NodeGroup
from components.eks.node_role import NodeRole, NodeRoleArgs
from components.naming import cluster_name

__all__ = [
    "Access",
    "AccessArgs",
    "Cluster",
    "ClusterArgs",
    "ClusterHandle",
    "NodeAddons",
    "NodeAddonsArgs",
    "NodeGroup",
    "NodeGroupArgs",
    "NodePool",
    "NodeRole",
    "NodeRoleArgs",
    "ServiceAddons",
    "ServiceAddonsArgs",
    "SignIn",
    "Team",
    "cluster_name",
]
