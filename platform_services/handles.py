"""What workloads may know of the platform."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.eks.arguments import ClusterHandle


@dataclass(frozen=True, kw_only=True)
class PlatformHandle:
    """Names of what workloads refer to; `kubernetes` is the provider that their objects are applied by."""

    kubernetes: pulumi.ProviderResource
    cluster: ClusterHandle
    namespaces: Mapping[str, pulumi.Output[str]]
    storage_class: pulumi.Output[str]
    priority_classes: Mapping[str, pulumi.Output[str]]
