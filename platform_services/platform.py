"""Basic services of the cluster, created in the order of their dependencies."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.buckets.buckets import BucketHandle
from components.database.database import DatabaseHandle
from components.eks.arguments import ClusterHandle
from components.eks.autoscaler_spec import AutoscalerSpec
from components.images.sources import MLFLOW_REPOSITORY
from platform_services.admission import Admission
from platform_services.autoscaler import Autoscaler, AutoscalerArgs
from platform_services.classes import Classes, ClassesArgs
from platform_services.device_plugins import DevicePlugins, DevicePluginsArgs
from platform_services.efa_plugin import EfaPlugin, EfaPluginArgs
from platform_services.handles import PlatformHandle, PlatformOrder, Retention
from platform_services.mlflow.server import Mlflow, MlflowArgs
from platform_services.mlflow.spec import MlflowSpec
from platform_services.namespaces import ACCELERATORS, ML_PLATFORM, SERVICES, Namespaces
from platform_services.network_policies import NetworkPolicies, NetworkPoliciesArgs, Ranges
from platform_services.readers import ClusterReaders


@dataclass(frozen=True, kw_only=True)
class PlatformArgs:
    """Sections of the stack file that configure services, and the values of the layers below.

    `repository_urls` are by repository name, without the environment's prefix.
    """

    autoscaler: AutoscalerSpec
    mlflow: MlflowSpec
    cluster: ClusterHandle
    environment: str
    prefix: str
    vpc_id: pulumi.Input[str]
    ranges: Ranges
    data_key_arn: pulumi.Output[str]
    secrets_key_arn: pulumi.Output[str]
    data_lake: BucketHandle
    artifacts: BucketHandle
    database: DatabaseHandle
    repository_urls: Mapping[str, pulumi.Output[str]]
    retention: Retention


class Platform(pulumi.ComponentResource):
    """All services of the platform on one cluster. `handle` is for workloads."""

    handle: PlatformHandle
    order: PlatformOrder

    def __init__(self, name: str, args: PlatformArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:Platform", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        cluster = args.cluster
        namespaces = Namespaces(f"{name}-namespaces", cluster.version, child)
        classes = Classes(f"{name}-classes", ClassesArgs(volume_key_arn=cluster.volume_key_arn), child)
        ClusterReaders(f"{name}-readers", child)
        admission = Admission(f"{name}-admission", child)
        policies = NetworkPolicies(f"{name}-network", NetworkPoliciesArgs(namespaces=namespaces.names), child)
        DevicePlugins(
            f"{name}-devices",
            DevicePluginsArgs(
                namespace=namespaces.names[ACCELERATORS], accelerators=cluster.accelerators, ranges=args.ranges
            ),
            child,
        )
        with_efa = tuple(pool for pool in cluster.pools if pool.spec.efa)
        if with_efa:
            EfaPlugin(
                f"{name}-efa",
                EfaPluginArgs(namespace=namespaces.names[ACCELERATORS], region=cluster.region, pools=with_efa),
                child,
            )
        Autoscaler(
            f"{name}-autoscaler",
            AutoscalerArgs(
                spec=args.autoscaler,
                cluster=cluster,
                namespace=SERVICES,
                namespace_ready=namespaces.names[SERVICES],
                ranges=args.ranges,
            ),
            pulumi.ResourceOptions(parent=self, depends_on=[admission]),
        )
        mlflow = Mlflow(
            f"{name}-mlflow",
            MlflowArgs(
                spec=args.mlflow,
                cluster=cluster,
                environment=args.environment,
                namespace_ready=namespaces.names[ML_PLATFORM],
                prefix=args.prefix,
                vpc_id=args.vpc_id,
                repository_url=args.repository_urls[MLFLOW_REPOSITORY],
                database=args.database,
                ranges=args.ranges,
                artifacts=args.artifacts,
                data_key_arn=args.data_key_arn,
                secrets_key_arn=args.secrets_key_arn,
                recovery_window_days=args.retention.recovery_window_days,
                protect=args.retention.protect,
            ),
            # Its pods name a priority class, connect to nothing but DNS by default, and are not admitted without their
            # role.
            pulumi.ResourceOptions(parent=self, depends_on=[classes, policies, admission]),
        )
        self.handle = PlatformHandle(
            environment=args.environment,
            prefix=args.prefix,
            cluster=cluster,
            ranges=args.ranges,
            namespaces=namespaces.names,
            priority_classes=classes.priorities,
            repository_urls=args.repository_urls,
            data_lake=args.data_lake,
            data_key_arn=args.data_key_arn,
            secrets_key_arn=args.secrets_key_arn,
            tracking=mlflow.handle,
            retention=args.retention,
        )
        self.order = PlatformOrder(admission=(admission,), tracking=(mlflow.ready,), tracking_image=mlflow.image_hooks)
        self.register_outputs(self.exports)

    @property
    def exports(self) -> dict[str, pulumi.Input[object]]:
        """Return the outputs of the stack: addresses and names, no secret."""
        tracking = self.handle.tracking
        return {"mlflow_uri": tracking.uri, "mlflow_admin_secret_arn": tracking.admin_secret_arn}
