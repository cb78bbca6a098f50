"""The cluster layer: control plane, access, add-ons and node groups, in the order in which they need each other.

Deleting goes the same way back: what runs on the cluster, then add-ons with pods, nodes, the network's add-ons, access,
the control plane, and the network at last.
"""

import pulumi

from components.accelerators import Taint
from components.eks import (
    Access,
    AccessArgs,
    Cluster,
    ClusterArgs,
    ClusterHandle,
    NodeAddons,
    NodeAddonsArgs,
    NodeGroup,
    NodeGroupArgs,
    NodePool,
    NodeRole,
    NodeRoleArgs,
    ServiceAddons,
    ServiceAddonsArgs,
    SignIn,
    Team,
    cluster_name,
)
from components.identities import Identities
from stacks.foundation import FoundationHandle
from stacks.providers import default_tags
from stacks.settings import PlatformSettings
from stacks.settings.cluster import GENERAL_POOL
from stacks.settings.pools import NodePoolSettings


def node_pools(settings: PlatformSettings) -> tuple[NodePool, ...]:
    """The pools of the settings as the components take them; the general one comes first."""
    return tuple(_pool(settings, name, pool) for name, pool in settings.cluster.pools.items())


def _pool(settings: PlatformSettings, name: str, pool: NodePoolSettings) -> NodePool:
    return NodePool(
        name=name,
        instance_types=pool.instance_types,
        accelerator=pool.accelerator,
        min_size=pool.min_size,
        max_size=pool.max_size,
        disk_gib=pool.disk_gb,
        capacity=pool.capacity,
        capacity_reservation_id=pool.capacity_reservation or None,
        efa=pool.efa,
        placement_group=pool.placement_group,
        zones=pool.zones or settings.network.zones,
        labels=pool.labels,
        extra_taints=tuple(Taint(key=key, value="true", effect=effect) for key, effect in pool.taints.items()),
        version=pool.version or settings.cluster.version,
    )


class ClusterLayer:
    """Makes the components of the layer as children of `parent`."""

    handle: ClusterHandle
    access_roles: dict[str, pulumi.Output[str]]

    def __init__(
        self,
        settings: PlatformSettings,
        foundation: FoundationHandle,
        identities: Identities,
        namespaces: tuple[str, ...],
        parent: pulumi.Resource,
    ) -> None:
        """`namespaces` are those that the platform's team administers."""
        self._settings, self._foundation, self._namespaces = settings, foundation, namespaces
        self._child = pulumi.ResourceOptions(parent=parent)
        self._name = cluster_name(foundation.prefix)
        self._cluster = self._control_plane()
        access = self._access(identities)
        self.access_roles = access.roles
        groups = self._node_groups(self._node_addons())
        services = self._service_addons(groups[GENERAL_POOL])
        cluster = self._cluster
        self.handle = ClusterHandle(
            name=cluster.name,
            arn=cluster.arn,
            plain_name=self._name,
            version=settings.cluster.version,
            region=settings.region,
            endpoint=cluster.endpoint,
            certificate_authority=cluster.certificate_authority,
            security_group_id=cluster.security_group_id,
            oidc_issuer=cluster.oidc_issuer,
            oidc_provider_arn=cluster.oidc_provider_arn,
            account=foundation.account,
            pools=node_pools(settings),
            volume_key_arn=foundation.keys.data.arn,
            ready=(*access.granted, *groups.values(), *services.installed),
            group_roles=access.group_roles,
        )

    def _control_plane(self) -> Cluster:
        settings, foundation = self._settings.cluster, self._foundation
        return Cluster(
            "cluster",
            ClusterArgs(
                account=foundation.account,
                prefix=foundation.prefix,
                version=settings.version,
                vpc_id=foundation.network.vpc_id,
                subnet_ids=tuple(foundation.network.intra_subnets.values()),
                service_cidr=self._settings.network.service_cidr,
                secrets_key_arn=foundation.keys.cluster.arn,
                logs_key_arn=foundation.keys.logs.arn,
                public_cidrs=settings.api_cidrs,
                private_cidrs=settings.private_cidrs,
                log_types=settings.log_types,
                log_retention_days=settings.log_retention_days,
                deletion_protection=settings.deletion_protection,
                support="EXTENDED" if settings.upgrade_policy == "extended" else "STANDARD",
                zonal_shift=settings.zonal_shift,
                after=(foundation.network_ready,),
            ),
            self._child,
        )

    def _access(self, identities: Identities) -> Access:
        foundation, sign_in = self._foundation, self._settings.cluster.sign_in
        return Access(
            "access",
            AccessArgs(
                account=foundation.account,
                prefix=foundation.prefix,
                cluster_name=self._name,
                cluster=self._cluster.name,
                deploy_role_arn=identities.deploy_role_arn,
                preview_role_arn=identities.preview_role_arn,
                platform_namespaces=self._namespaces,
                sign_in=SignIn(mfa=sign_in.mfa, principal_tags=sign_in.principal_tags),
                teams={
                    name: Team(namespaces=team.namespaces, policy=team.policy)
                    for name, team in self._settings.cluster.teams.items()
                },
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
            NodeRoleArgs(account=foundation.account, cluster_name=self._name, sessions=settings.node_sessions),
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
