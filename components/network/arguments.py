"""Arguments of the network, and the handle that it passes to the layers above."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.account import Account
from components.network.spec import NetworkSpec


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    spec: NetworkSpec
    account: Account
    logs_key_arn: pulumi.Input[str]

    def __post_init__(self) -> None:
        outside = [zone for zone in self.spec.zones if zone[:-1] != self.account.region]
        if outside:
            raise ValueError(f"zones must be in region {self.account.region}, got {', '.join(outside)}")


@dataclass(frozen=True, kw_only=True)
class NetworkHandle:
    """Properties of the network that other layers may use. Subnets are keyed by zone name, for zonal resources.

    `endpoint_ranges` are the subnet ranges of interface endpoints, empty if there are none. `intra_ranges` are the
    subnet ranges of the cluster's own network interfaces.
    """

    vpc_id: pulumi.Output[str]
    cidr: str
    pod_cidr: str
    endpoint_ranges: tuple[str, ...]
    intra_ranges: tuple[str, ...]
    public_subnets: Mapping[str, pulumi.Output[str]]
    private_subnets: Mapping[str, pulumi.Output[str]]
    intra_subnets: Mapping[str, pulumi.Output[str]]
    pod_subnets: Mapping[str, pulumi.Output[str]]
