"""The cluster's basics, in the order in which they need each other."""

from dataclasses import dataclass

import pulumi

from components.eks.arguments import ClusterHandle
from platform_services.autoscaler import Autoscaler, AutoscalerArgs
from platform_services.classes import Classes, ClassesArgs
from platform_services.device_plugins import DevicePlugins, DevicePluginsArgs
from platform_services.handles import PlatformHandle
from platform_services.namespaces import ACCELERATORS, SERVICES, Namespaces
from platform_services.network_policies import NetworkPolicies, NetworkPoliciesArgs
from platform_services.readers import ClusterReaders


@dataclass(frozen=True, kw_only=True)
class PlatformArgs:
    cluster: ClusterHandle
    kubernetes: pulumi.ProviderResource
    scale_down_minutes: int = 10


class Platform(pulumi.ComponentResource):
    handle: PlatformHandle

    def __init__(self, name: str, args: PlatformArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:Platform", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        cluster = args.cluster
        namespaces = Namespaces(f"{name}-namespaces", cluster.version, child)
        classes = Classes(f"{name}-classes", ClassesArgs(volume_key_arn=cluster.volume_key_arn), child)
        ClusterReaders(f"{name}-readers", child)
        NetworkPolicies(f"{name}-network", NetworkPoliciesArgs(namespaces=namespaces.names), child)
        DevicePlugins(
            f"{name}-devices",
            DevicePluginsArgs(namespace=namespaces.names[ACCELERATORS], accelerators=cluster.accelerators),
            child,
        )
        Autoscaler(
            f"{name}-autoscaler",
            AutoscalerArgs(
                cluster=cluster,
                namespace=SERVICES,
                namespace_ready=namespaces.names[SERVICES],
                scale_down_minutes=args.scale_down_minutes,
            ),
            child,
        )
        self.handle = PlatformHandle(
            kubernetes=args.kubernetes,
            cluster=cluster,
            namespaces=namespaces.names,
            storage_class=classes.storage_class,
            priority_classes=classes.priorities,
        )
        self.register_outputs({})
