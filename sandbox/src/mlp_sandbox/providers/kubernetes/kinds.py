"""From a resource type of the SDK to a kind of the Kubernetes API, and which types are not done here.

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
# Kinds of Kubernetes' own APIs that live outside namespaces, for when no API server can be asked.
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
    """Raises ProviderError for types that are not objects of the Kubernetes API."""
    parts = token.split(":")
    if len(parts) != 3:
        raise ProviderError(f"the resource type {token} is not supported here: use kubernetes:<group>/<version>:<Kind>")
    group, _, version = parts[1].rpartition("/")
    if reason := NOT_DONE.get(group or version):
        raise ProviderError(f"the resource type {token} is not supported here: {reason}")
    return Kind("" if group == "core" else group, version, parts[2])


def kind_of_object(token: str, inputs: Object) -> Kind:
    """The kind that inputs ask for. `apiVersion` and `kind`, which the SDK always sends, have the last word."""
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
    """What is known without an API server; a kind that nobody knows is taken for one inside namespaces."""
    return kind.name in CLUSTER_SCOPED and (not kind.group or "." not in kind.group or kind.group.endswith(".k8s.io"))


def id_of(obj: Object) -> str:
    """`namespace/name`, or the name alone outside namespaces, as the official provider's ids are."""
    metadata = obj["metadata"]
    namespace = metadata.get("namespace")
    return f"{namespace}/{metadata['name']}" if namespace else str(metadata["name"])


def split_id(id: str) -> tuple[str, str]:
    """Namespace (may be empty) and name. Raises ProviderError for what is neither."""
    namespace, _, name = id.rpartition("/")
    if not name or "/" in namespace:
        raise ProviderError(f"the id '{id}' is not one of a Kubernetes object: use <namespace>/<name> or <name>")
    return namespace, name
