"""Read access beyond EKS's view policies, for everybody who may enter the cluster: nodes, classes, rules. No secrets.

EKS's view policies cover only namespaces, and few kinds. A preview that refreshes from the cluster reads all objects
that the program declares there.
https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html
"""

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as k8s

from components.eks.access import READERS

VERBS = ("get", "list", "watch")
READABLE: Sequence[tuple[str, tuple[str, ...]]] = (
    ("", ("namespaces", "nodes", "persistentvolumes")),
    ("admissionregistration.k8s.io", ("validatingadmissionpolicies", "validatingadmissionpolicybindings")),
    ("apiextensions.k8s.io", ("customresourcedefinitions",)),
    ("metrics.k8s.io", ("nodes", "pods")),
    ("rbac.authorization.k8s.io", ("clusterrolebindings", "clusterroles", "rolebindings", "roles")),
    ("scheduling.k8s.io", ("priorityclasses",)),
    ("storage.k8s.io", ("csidrivers", "csinodes", "storageclasses", "volumeattachments")),
    ("vpcresources.k8s.aws", ("securitygrouppolicies",)),
)


class ClusterReaders(pulumi.ComponentResource):
    """ClusterRole and binding of the readers group."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:ClusterReaders", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        role = k8s.rbac.v1.ClusterRole(
            f"{name}-role",
            metadata={"name": READERS},
            rules=[
                {"api_groups": [group], "resources": list(kinds), "verbs": list(VERBS)} for group, kinds in READABLE
            ],
            opts=child,
        )
        k8s.rbac.v1.ClusterRoleBinding(
            f"{name}-binding",
            metadata={"name": READERS},
            role_ref={
                "api_group": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": role.metadata.apply(lambda metadata: metadata.name or ""),
            },
            subjects=[{"kind": "Group", "name": READERS, "api_group": "rbac.authorization.k8s.io"}],
            opts=child,
        )
        self.register_outputs({})
