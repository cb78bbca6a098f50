"""The rules of EKS's access policies, which EKS's authoriser evaluates beside Kubernetes RBAC.

https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html
"""

from dataclasses import dataclass

_READ = frozenset({"get", "list", "watch"})
_WRITE = frozenset({"create", "delete", "deletecollection", "patch", "update"})
_ANY = frozenset({"*"})


@dataclass(frozen=True)
class Rule:
    """Verbs on resources (subresources after a slash) of API groups. The core group has an empty name."""

    groups: frozenset[str]
    resources: frozenset[str]
    verbs: frozenset[str]
    non_resource_urls: bool = False

    def allows(self, verb: str, group: str, resource: str) -> bool:
        """Return whether the rule allows a verb on a resource or subresource."""
        return all(
            "*" in allowed or asked in allowed
            for allowed, asked in ((self.verbs, verb), (self.groups, group), (self.resources, resource))
        )


def _rule(group: str, resources: str, verbs: frozenset[str]) -> Rule:
    return Rule(frozenset({group}), frozenset(resources.split()), verbs)


_CORE, _AUTOSCALING, _BATCH, _RBAC = "", "autoscaling", "batch", "rbac.authorization.k8s.io"
_NETWORKING = "networking.k8s.io"
_APPS_WRITE = (
    "daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets "
    "statefulsets/scale"
)
_APPS_READ = (
    "controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets "
    "replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status"
)
_EXTENSIONS_WRITE = (
    "daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies replicasets "
    "replicasets/scale replicationcontrollers/scale"
)
_EXTENSIONS_READ = (
    "daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status "
    "networkpolicies replicasets replicasets/scale replicasets/status replicationcontrollers/scale"
)
_CORE_READ = (
    "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers "
    "replicationcontrollers/scale serviceaccounts services services/status bindings events limitranges "
    "namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status "
    "namespaces"
)
_POD_ACCESS = "pods/attach pods/exec pods/portforward pods/proxy"

_VIEW = (
    _rule("apps", _APPS_READ, _READ),
    _rule(_AUTOSCALING, "horizontalpodautoscalers horizontalpodautoscalers/status", _READ),
    _rule(_BATCH, "cronjobs cronjobs/status jobs jobs/status", _READ),
    _rule("discovery.k8s.io", "endpointslices", _READ),
    _rule("extensions", _EXTENSIONS_READ, _READ),
    _rule(_NETWORKING, "ingresses ingresses/status networkpolicies", _READ),
    _rule("policy", "poddisruptionbudgets poddisruptionbudgets/status", _READ),
    _rule(_CORE, _CORE_READ, _READ),
)
_EDIT = (
    *_VIEW,
    _rule("apps", _APPS_WRITE, _WRITE),
    _rule(_AUTOSCALING, "horizontalpodautoscalers", _WRITE),
    _rule(_BATCH, "cronjobs jobs", _WRITE),
    _rule("extensions", _EXTENSIONS_WRITE, _WRITE),
    _rule(_NETWORKING, "ingresses networkpolicies", _WRITE),
    _rule("policy", "poddisruptionbudgets", _WRITE),
    _rule(_CORE, f"{_POD_ACCESS} secrets services/proxy", _READ),
    _rule(_CORE, f"pods {_POD_ACCESS}", _WRITE),
    _rule(
        _CORE,
        "configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets "
        "serviceaccounts services services/proxy",
        _WRITE,
    ),
    _rule(_CORE, "serviceaccounts", frozenset({"impersonate"})),
)
_ADMIN = (
    *_EDIT,
    _rule("authorization.k8s.io", "localsubjectaccessreviews", frozenset({"create"})),
    _rule(_RBAC, "rolebindings roles", _READ | _WRITE),
)

POLICIES: dict[str, tuple[Rule, ...]] = {
    "AmazonEKSAdminPolicy": _ADMIN,
    "AmazonEKSAdminViewPolicy": (Rule(_ANY, _ANY, _READ),),
    "AmazonEKSClusterAdminPolicy": (Rule(_ANY, _ANY, _ANY, non_resource_urls=True),),
    "AmazonEKSEditPolicy": _EDIT,
    "AmazonEKSSecretReaderPolicy": (_rule(_CORE, "secrets", _READ),),
    "AmazonEKSViewPolicy": _VIEW,
}
"""Policies by name. Policies of EKS Auto Mode and of hybrid nodes serve AWS's own components and are left out."""
