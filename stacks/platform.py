"""Arguments of the platform layer, from the settings and the layers below it."""

from __future__ import annotations

import ipaddress

from components.eks.arguments import ClusterHandle
from platform_services.handles import Retention
from platform_services.network_policies import Ranges
from platform_services.platform import PlatformArgs
from stacks.foundation import FoundationHandle
from stacks.settings import PlatformSettings


def api_address(service_cidr: str) -> str:
    """Return the address of the Service `kubernetes`, which is the first one of the services' range.

    https://kubernetes.io/docs/concepts/services-networking/cluster-ip-allocation/
    """
    return f"{ipaddress.IPv4Network(service_cidr)[1]}/32"


def platform_args(settings: PlatformSettings, foundation: FoundationHandle, cluster: ClusterHandle) -> PlatformArgs:
    """Return the arguments of the platform layer."""
    network = foundation.network
    return PlatformArgs(
        autoscaler=settings.cluster.autoscaler,
        mlflow=settings.mlflow,
        cluster=cluster,
        environment=settings.environment,
        prefix=foundation.prefix,
        vpc_id=network.vpc_id,
        ranges=Ranges(
            vpc=network.cidr,
            endpoints=network.endpoint_ranges,
            kubernetes=(api_address(settings.network.service_cidr), *network.intra_ranges),
        ),
        data_key_arn=foundation.keys.data.arn,
        secrets_key_arn=foundation.keys.secrets.arn,
        data_lake=foundation.buckets.data_lake,
        artifacts=foundation.buckets.model_artifacts,
        database=foundation.database,
        repository_urls={name: each.url for name, each in foundation.repositories.items()},
        retention=Retention(
            protect=settings.protect,
            recovery_window_days=settings.secrets.recovery_window_days,
        ),
    )
