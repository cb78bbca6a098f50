"""Cluster layer: control plane, access, add-ons and node groups, in the order of their dependencies.

Deletion runs in reverse order: workloads on the cluster, then add-ons with pods, nodes, the network add-ons, access,
the control plane, and finally the network.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

import pulumi

from components.eks.access import Access, AccessArgs
from components.eks.addons import NodeAddons, NodeAddonsArgs, ServiceAddons, ServiceAddonsArgs
from components.eks.arguments import ClusterArgs, ClusterHandle, NodeGroupArgs, NodePool
from components.eks.cluster import Cluster
from components.eks.node_groups import NodeGroup
from components.eks.node_role import NodeRole, NodeRoleArgs
from components.eks.spec import GENERAL_POOL
from components.naming import cluster_name
from platform_services.namespaces import ML_PLATFORM
from stacks.foundation import FoundationHandle
from stacks.providers import default_tags
from stacks.settings import PlatformSettings


def node_pools(settings: PlatformSettings) -> tuple[NodePool, ...]:
    """Return the node pools of the settings as component arguments; the general pool comes first."""
    return tuple(
        NodePool(name=name, spec=spec, default_zones=settings.network.zones, default_version=settings.cluster.version)
        for name, spec in settings.cluster.pools.items()
    )


def administered(settings: PlatformSettings, project_namespaces: Iterable[str]) -> tuple[str, ...]:
    """Return the namespaces that the platform's team administers: those of teams and projects, and MLflow's.

    An administrator of a namespace acts as its service accounts. In a privileged namespace that is the node with all
    that runs on it. In the autoscaler's namespace it is every node and the eviction of every pod.
    """
    teams = [name for team in settings.cluster.teams.values() for name in team.namespaces]
    others = (each for each in project_namespaces if not any(fnmatchcase(each, name) for name in teams))
    return tuple(sorted({ML_PLATFORM, *teams, *others}))


@dataclass(frozen=True, kw_only=True)
class ClusterLayerArgs:
    """Arguments of the cluster layer.

    Attributes:
        settings: Settings of the environment.
        foundation: Handle of the layer below.
        project_namespaces: Namespaces of the environment's projects.
        after: Resources that exist as long as the cluster does, although no property refers to them.
    """

    settings: PlatformSettings
    foundation: FoundationHandle
    project_namespaces: tuple[str, ...]
    after: tuple[pulumi.Resource, ...] = ()


class ClusterLayer(pulumi.ComponentResource):
    """EKS cluster with its access, add-ons and node groups.

    Attributes:
        handle: Names and addresses for the layers above.
        ready: Access entries, node groups and add-ons. Objects on the cluster are made after them and deleted before.
    """

    handle: ClusterHandle
    ready: tuple[pulumi.Resource, ...]

    def __init__(self, name: str, args: ClusterLayerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:ClusterLayer", name, {}, opts)
        self._args, self._settings, self._foundation = args, args.settings, args.foundation
        self._child = pulumi.ResourceOptions(parent=self)
        self._name = cluster_name(self._foundation.prefix)
        self._cluster = self._control_plane()
        access = self._access()
        groups = self._node_groups(self._node_addons())
        services = self._service_addons(groups[GENERAL_POOL])
        self.ready = (*access.granted, *groups.values(), *services.installed)
        self.handle = self._handle(access)
        self.register_outputs(self.exports)

    @property
    def exports(self) -> dict[str, pulumi.Input[object]]:
        """Return the outputs of the stack: addresses and names, no secret."""
        made = self.handle
        command = "aws eks update-kubeconfig --region {0} --name {1}"
        return {
            "cluster_name": made.name,
            "cluster_endpoint": made.endpoint,
            "cluster_version": made.version,
            "cluster_security_group_id": made.security_group_id,
            "cluster_role_arns": dict(made.role_arns),
            "oidc_issuer": made.oidc_issuer,
            "oidc_provider_arn": made.oidc_provider_arn,
            "kubeconfig_command": pulumi.Output.format(command, made.region, made.name),
        }

    def _handle(self, access: Access) -> ClusterHandle:
        cluster = self._cluster
        return ClusterHandle(
            name=cluster.name,
            plain_name=self._name,
            version=self._settings.cluster.version,
            region=self._settings.region,
            endpoint=cluster.endpoint,
            certificate_authority=cluster.certificate_authority,
            security_group_id=cluster.security_group_id,
            oidc_issuer=cluster.oidc_issuer,
            oidc_provider_arn=cluster.oidc_provider_arn,
            account=self._foundation.account,
            pools=node_pools(self._settings),
            volume_key_arn=self._foundation.keys.data.arn,
            role_arns=access.roles,
            group_roles=access.group_roles,
        )

    def _control_plane(self) -> Cluster:
        foundation = self._foundation
        return Cluster(
            "cluster",
            ClusterArgs(
                account=foundation.account,
                prefix=foundation.prefix,
                spec=self._settings.cluster,
                vpc_id=foundation.network.vpc_id,
                subnet_ids=tuple(foundation.network.intra_subnets.values()),
                service_cidr=self._settings.network.service_cidr,
                secrets_key_arn=foundation.keys.cluster.arn,
                logs_key_arn=foundation.keys.logs.arn,
                after=self._args.after,
            ),
            self._child,
        )

    def _access(self) -> Access:
        foundation, spec = self._foundation, self._settings.cluster
        return Access(
            "access",
            AccessArgs(
                account=foundation.account,
                prefix=foundation.prefix,
                cluster_name=self._name,
                cluster=self._cluster.name,
                deploy_role_arn=foundation.identities.deploy_role_arn,
                preview_role_arn=foundation.identities.preview_role_arn,
                platform_namespaces=administered(self._settings, self._args.project_namespaces),
                sign_in=spec.sign_in,
                teams=spec.teams,
            ),
            self._child,
        )

    def _node_addons(self) -> NodeAddons:
        foundation = self._foundation
        return NodeAddons(
            "node-addons",
            NodeAddonsArgs(
                account=foundation.account,
                cluster_name=self._name,
                cluster=self._cluster.name,
                version=self._settings.cluster.version,
                pod_subnets=foundation.network.pod_subnets,
                security_group_id=self._cluster.security_group_id,
            ),
            self._child,
        )

    def _node_groups(self, addons: NodeAddons) -> dict[str, NodeGroup]:
        foundation, settings = self._foundation, self._settings.cluster
        role = NodeRole(
            "node-role",
            NodeRoleArgs(account=foundation.account, cluster_name=self._name, node_sessions=settings.node_sessions),
            self._child,
        )
        return {
            pool.name: NodeGroup(
                f"nodes-{pool.name}",
                NodeGroupArgs(
                    cluster_name=self._cluster.name,
                    pool=pool,
                    subnets=foundation.network.private_subnets,
                    vpc_id=foundation.network.vpc_id,
                    cluster_security_group_id=self._cluster.security_group_id,
                    role_arn=role.arn,
                    volume_key_arn=foundation.keys.data.arn,
                    tags=default_tags(self._settings),
                    pods_per_node=settings.pods_per_node,
                    after=(*role.permissions, *addons.installed),
                ),
                self._child,
            )
            for pool in node_pools(self._settings)
        }

    def _service_addons(self, general: NodeGroup) -> ServiceAddons:
        foundation = self._foundation
        return ServiceAddons(
            "service-addons",
            ServiceAddonsArgs(
                account=foundation.account,
                cluster_name=self._name,
                cluster=self._cluster.name,
                version=self._settings.cluster.version,
                volume_key_arn=foundation.keys.data.arn,
                volume_tags=default_tags(self._settings),
                after=(general,),
            ),
            self._child,
        )
