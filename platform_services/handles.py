"""What workloads may know of the platform."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi

from components.account import Account
from components.buckets import BucketHandle
from components.eks.arguments import ClusterHandle
from platform_services.network_policies import Ranges


@dataclass(frozen=True, kw_only=True)
class Retention:
    """What becomes of things that hold something when the program does not name them any more.

    `protect`: Pulumi refuses to delete them.
    """

    protect: bool
    recovery_window_days: int


@dataclass(frozen=True, kw_only=True)
class TrackingHandle:
    """The MLflow server: `uri` for clients; namespace, labels and port for the network policies that let them through.

    `image`, `image_hooks`, `admin_secret_arn` and `ready` are for what keeps its accounts.
    """

    uri: str
    namespace: str
    labels: Mapping[str, str]
    port: int
    image: pulumi.Output[str]
    image_hooks: pulumi.ResourceHookBinding = field(repr=False)
    admin_secret_arn: pulumi.Output[str]
    ready: pulumi.Resource


@dataclass(frozen=True, kw_only=True)
class PlatformHandle:
    """Names of what workloads refer to; `kubernetes` is the provider that their objects are applied by.

    `repository_urls` is where images are, by the names of the repositories without the environment's prefix.
    `admission` is what no team may do: it is there before the first namespace of a team.
    """

    kubernetes: pulumi.ProviderResource
    environment: str
    prefix: str
    cluster: ClusterHandle
    ranges: Ranges
    namespaces: Mapping[str, pulumi.Output[str]]
    storage_class: pulumi.Output[str]
    priority_classes: Mapping[str, pulumi.Output[str]]
    repository_urls: Mapping[str, pulumi.Output[str]]
    data_lake: BucketHandle
    data_key_arn: pulumi.Output[str]
    secrets_key_arn: pulumi.Output[str]
    tracking: TrackingHandle
    retention: Retention
    admission: pulumi.Resource

    @property
    def account(self) -> Account:
        return self.cluster.account
