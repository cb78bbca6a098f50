"""Changes of an object's inputs that need a new object, because the API does not let the field change.

The table has the official provider's rules and the API's own: the fields that the pages of the kinds below
https://kubernetes.io/docs/reference/kubernetes-api/ call immutable. For fields that the table lacks, the API server
decides: an update that a dry run rejects as a change of an immutable field is a replacement, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from mlp_sandbox.providers.kubernetes.annotations import REPLACE_UNREADY, is_set
from mlp_sandbox.providers.kubernetes.kinds import Kind, Object
from mlp_sandbox.providers.kubernetes.paths import Path, parsed, value_at

IDENTITY = ("metadata.name", "metadata.namespace")
_VOLUME_SOURCES = """awsElasticBlockStore azureDisk azureFile cephfs cinder csi fc flexVolume flocker
    gcePersistentDisk glusterfs hostPath iscsi local nfs photonPersistentDisk portworxVolume quobyte rbd scaleIO
    storageos vsphereVolume"""
_POD_FIELDS = """affinity automountServiceAccountToken dnsConfig dnsPolicy enableServiceLinks hostAliases hostIPC
    hostNetwork hostPID hostname imagePullSecrets nodeName nodeSelector overhead preemptionPolicy priority
    priorityClassName readinessGates restartPolicy runtimeClassName schedulerName securityContext serviceAccount
    serviceAccountName shareProcessNamespace subdomain terminationGracePeriodSeconds volumes containers
    initContainers"""
FIELDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("apps", "Deployment"): ("spec.selector",),
    ("apps", "DaemonSet"): ("spec.selector",),
    ("apps", "StatefulSet"): (
        *("spec.podManagementPolicy", "spec.revisionHistoryLimit", "spec.selector", "spec.serviceName"),
        "spec.volumeClaimTemplates",
    ),
    ("batch", "Job"): (
        *("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
        "spec.completionMode",
    ),
    ("", "Pod"): tuple(f"spec.{name}" for name in _POD_FIELDS.split()),
    ("", "PersistentVolume"): tuple(f"spec.{name}" for name in _VOLUME_SOURCES.split()),
    ("", "PersistentVolumeClaim"): (
        *("spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName"),
        *("spec.volumeMode", "spec.dataSource", "spec.dataSourceRef"),
    ),
    ("", "ResourceQuota"): ("spec.scopes", "spec.scopeSelector"),
    ("", "Service"): ("spec.clusterIP",),
    ("rbac.authorization.k8s.io", "RoleBinding"): ("roleRef",),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): ("roleRef",),
    ("storage.k8s.io", "StorageClass"): ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"),
    ("storage.k8s.io", "VolumeAttributesClass"): ("driverName", "parameters"),
    ("scheduling.k8s.io", "PriorityClass"): ("value", "preemptionPolicy"),
    ("node.k8s.io", "RuntimeClass"): ("handler",),
    ("networking.k8s.io", "IngressClass"): ("spec.controller",),
}
# Replaced as a whole, so that pods that mount the new name roll; the options enable...Mutable change them in place.
CONTENT = {"Secret": ("data", "stringData", "type"), "ConfigMap": ("data", "binaryData")}
_IMMUTABLE = re.compile(
    r"immutable|may not (be )?(changed?|updated?)|cannot (be )?(changed?|updated?)|updates? to .{0,200}forbidden"
    r"|forbidden: updates? to|is not allowed to change",
    re.IGNORECASE,
)


def replaced_by(kind: Kind, new: Object, path: Path, *, mutable: frozenset[str] = frozenset()) -> bool:
    """Return whether a change at that place needs a new object; `mutable` has the kinds that may change in place."""
    fixed = [*IDENTITY, *FIELDS.get((kind.group, kind.name), ())]
    if kind.group == "" and kind.name in CONTENT:
        changes_in_place = kind.name in mutable and new.get("immutable") is not True
        fixed += ("type",) if changes_in_place else CONTENT[kind.name]
    return any(_touches(parsed(each), path) for each in fixed)


def is_immutable_refusal(message: str) -> bool:
    """Return whether the API server rejects a change only because the field is immutable."""
    return _IMMUTABLE.search(message) is not None


def blamed(path: Path, fields: Iterable[str]) -> bool:
    """Return whether a change is in, or around, a field that the API server names."""
    return any(_touches(parsed(field), path) for field in fields if field and field != "<nil>")


def same_place(old_inputs: Object, old_state: Object, new: Object) -> bool:
    """Return whether the new object has the name and namespace of the old one, which must then be deleted first."""
    return all(
        value_at(new, parsed(field)) == (value_at(old_state, parsed(field)) or value_at(old_inputs, parsed(field)))
        for field in IDENTITY
    )


def unready_job(new: Object, live: Object | None) -> bool:
    """Return whether a failed Job must be replaced because of `pulumi.com/replaceUnready`."""
    if live is None or not is_set(new, REPLACE_UNREADY) or live.get("kind") != "Job":
        return False
    conditions: list[Any] = live.get("status", {}).get("conditions") or []
    return any(each.get("type") == "Failed" and each.get("status") == "True" for each in conditions)


def _touches(field: Path, change: Path) -> bool:
    shared = min(len(field), len(change))
    return field[:shared] == change[:shared]
