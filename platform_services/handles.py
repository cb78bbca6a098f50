"""Handles of the platform layer, for workloads."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi

from components.account import Account
from components.buckets.buckets import BucketHandle
from components.eks.arguments import ClusterHandle
from platform_services.network_policies import Ranges


@dataclass(frozen=True, kw_only=True)
class Retention:
    """Treatment of stateful resources that the program no longer declares.

    Attributes:
        protect: Whether Pulumi refuses to delete them.
        recovery_window_days: Days in which a deleted secret can be restored; 0 deletes at once.
    """

    protect: bool
    recovery_window_days: int


@dataclass(frozen=True, kw_only=True)
class TrackingHandle:
    """MLflow's server.

    Attributes:
        uri: Address for clients inside the cluster.
        namespace: Namespace of the server's pods.
        labels: Labels of the server's pods, for network policies.
        port: Port of the server.
        image: Reference of the server's image, which also holds the program that manages accounts.
        admin_secret_arn: Secret with the administrator's password.
    """

    uri: str
    namespace: str
    labels: Mapping[str, str]
    port: int
    image: pulumi.Output[str]
    admin_secret_arn: pulumi.Output[str]


@dataclass(frozen=True, kw_only=True)
class PlatformHandle:
    """All that workloads may use of the platform.

    Attributes:
        repository_urls: Image repositories by their names without the environment's prefix.
    """

    environment: str
    prefix: str
    cluster: ClusterHandle
    ranges: Ranges
    namespaces: Mapping[str, pulumi.Output[str]]
    priority_classes: Mapping[str, pulumi.Output[str]]
    repository_urls: Mapping[str, pulumi.Output[str]]
    data_lake: BucketHandle
    data_key_arn: pulumi.Output[str]
    secrets_key_arn: pulumi.Output[str]
    tracking: TrackingHandle
    retention: Retention

    @property
    def account(self) -> Account:
        """Return the account that the cluster is in."""
        return self.cluster.account


@dataclass(frozen=True, kw_only=True)
class PlatformOrder:
    """Resources of the platform that workloads wait for, where one program deploys both layers.

    A handle cannot hold them: only names and addresses can be loaded from another stack. A platform of another stack is
    deployed already, so there the defaults hold.

    Attributes:
        admission: Admission policies, which exist before the first namespace of a team.
        tracking: MLflow's server, which answers before anything manages its accounts.
        tracking_image: Hooks that check MLflow's image before anything runs it.
    """

    admission: tuple[pulumi.Resource, ...] = ()
    tracking: tuple[pulumi.Resource, ...] = ()
    tracking_image: pulumi.ResourceHookBinding = field(default_factory=pulumi.ResourceHookBinding, repr=False)
