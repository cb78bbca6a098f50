"""Conversion of the SDK's resource types to kinds of the Kubernetes API, and the types that are not supported.

Tokens: `kubernetes:<group>/<version>:<Kind>`; the core group is written `core/v1` by the SDK's classes and `v1` by
CustomResource.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlp_sandbox.providers.protocol import ProviderError

Object = dict[str, Any]

NOT_DONE = {
    "helm.sh": "Helm charts and releases are not done here: declare the objects themselves",
    "yaml": "YAML files and groups are not done here: declare the objects themselves",
    "kustomize": "kustomizations are not done here: declare the objects themselves",
}
# Kinds of Kubernetes' own APIs that are not namespaced, for use when no API server can be asked.
_CLUSTER_SCOPED = """
    APIService CSIDriver CSINode CertificateSigningRequest ClusterRole ClusterRoleBinding ClusterTrustBundle
    ComponentStatus CustomResourceDefinition DeviceClass FlowSchema IPAddress IngressClass MutatingAdmissionPolicy
    MutatingAdmissionPolicyBinding MutatingWebhookConfiguration Namespace Node PersistentVolume PriorityClass
    PriorityLevelConfiguration ResourceSlice RuntimeClass ServiceCIDR StorageClass StorageVersion
    StorageVersionMigration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration
    VolumeAttachment VolumeAttributesClass
"""
CLUSTER_SCOPED = frozenset(_CLUSTER_SCOPED.split())


@dataclass(frozen=True)
class Kind:
    group: str
    version: str
    name: str

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def __str__(self) -> str:
        return f"{self.api_version} {self.name}"


def kind_of(token: str) -> Kind:
    """Return the kind of a resource type.

    Raises:
        ProviderError: the type is no object of the Kubernetes API.
    """
    parts = token.split(":")
    if len(parts) != 3:
        raise ProviderError(f"the resource type {token} is not supported here: use kubernetes:<group>/<version>:<Kind>")
    group, _, version = parts[1].rpartition("/")
    if reason := NOT_DONE.get(group or version):
        raise ProviderError(f"the resource type {token} is not supported here: {reason}")
    return Kind("" if group == "core" else group, version, parts[2])


def kind_of_object(token: str, inputs: Object) -> Kind:
    """Return the kind that inputs ask for; `apiVersion` and `kind`, which the SDK always sends, have precedence.

    Raises:
        ProviderError: the resource type is not supported, or `kind` differs from it.
    """
    kind = kind_of(token)
    name = inputs.get("kind")
    if isinstance(name, str) and name != kind.name:
        if kind.name == f"{name}Patch":
            raise ProviderError(
                f"the resource type {token} is not supported here: declare the object as a {name}, "
                "or change it where it is made"
            )
        raise ProviderError(f"{token}: `kind` is '{name}', use '{kind.name}'")
    if kind.name.endswith("List") and isinstance(inputs.get("items"), list):
        raise ProviderError(f"the resource type {token} is not supported here: declare each object of the list")
    api_version = inputs.get("apiVersion")
    if isinstance(api_version, str):
        group, _, version = api_version.rpartition("/")
        return Kind(group, version, kind.name)
    return kind


def is_cluster_scoped(kind: Kind) -> bool:
    """Return whether a kind is known not to be namespaced, without an API server; unknown kinds count as namespaced."""
    return kind.name in CLUSTER_SCOPED and (not kind.group or "." not in kind.group or kind.group.endswith(".k8s.io"))


def id_of(obj: Object) -> str:
    """Return `namespace/name`, or the name alone for a kind that is not namespaced, as in the official provider."""
    metadata = obj["metadata"]
    namespace = metadata.get("namespace")
    return f"{namespace}/{metadata['name']}" if namespace else str(metadata["name"])


def split_id(id: str) -> tuple[str, str]:
    """Return namespace (may be empty) and name of an id.

    Raises:
        ProviderError: the id has another form.
    """
    namespace, _, name = id.rpartition("/")
    if not name or "/" in namespace:
        raise ProviderError(f"the id '{id}' is not one of a Kubernetes object: use <namespace>/<name> or <name>")
    return namespace, name
