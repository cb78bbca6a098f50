"""What an environment consists of before there is a cluster: network, keys, and everything that holds data."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.account import Account
from components.buckets import Buckets, BucketsArgs
from components.database import Database
from components.database_args import DatabaseArgs
from components.keys import Keys, KeysArgs
from components.network import Network, NetworkArgs, NetworkHandle, Outside
from components.notifications import Notifications, NotificationsArgs
from components.registry import Registry, RegistryArgs
from components.secrets import Secrets, SecretsArgs
from ml_workloads.project import Project
from ml_workloads.project.deployment_names import repository
from stacks.settings import PlatformSettings


@dataclass(frozen=True, kw_only=True)
class FoundationHandle:
    """What the AWS foundation hands to the layers above: nothing else of it may be used.

    `network_ready` ends with the last route and endpoint, for what needs a way out rather than a subnet.
    """

    account: Account
    prefix: str
    network: NetworkHandle
    network_ready: pulumi.Resource
    keys: Keys
    buckets: Buckets
    registry: Registry
    secrets: Secrets
    database: Database
    notifications: Notifications


class Foundation:
    """Makes the components of the foundation as children of `parent`."""

    def __init__(
        self,
        settings: PlatformSettings,
        projects: Sequence[Project],
        account: Account,
        prefix: str,
        parent: pulumi.Resource,
    ) -> None:
        """`projects` are those of the environment."""
        self._settings, self._projects, self._account, self._prefix = settings, projects, account, prefix
        self._child = pulumi.ResourceOptions(parent=parent)
        # Protection follows lifecycle: what holds data is protected, what can be made again is not.
        self._stateful = pulumi.ResourceOptions(parent=parent, protect=settings.protect)

    def make(self) -> FoundationHandle:
        settings = self._settings
        keys = Keys(
            "keys",
            KeysArgs(
                account=self._account,
                prefix=self._prefix,
                rotation_days=settings.keys.rotation_days,
                deletion_window_days=settings.keys.deletion_window_days,
            ),
            self._stateful,
        )
        network = self._network(keys)
        notifications = Notifications(
            "notifications",
            NotificationsArgs(account=self._account, key_arn=keys.data.arn, emails=settings.notifications.emails),
            self._child,
        )
        return FoundationHandle(
            account=self._account,
            prefix=self._prefix,
            network=network.handle,
            network_ready=network,
            keys=keys,
            buckets=self._buckets(keys),
            registry=self._registry(keys),
            secrets=self._secrets(keys),
            database=self._database(keys, network.handle),
            notifications=notifications,
        )

    def _network(self, keys: Keys) -> Network:
        network = self._settings.network
        return Network(
            "network",
            NetworkArgs(
                account=self._account,
                cidr=network.cidr,
                pod_cidr=network.pod_cidr,
                zones=network.zones,
                logs_key_arn=keys.logs.arn,
                nat=network.nat,
                interface_endpoints=network.interface_endpoints,
                connections={
                    name: Outside(gateway=each.gateway, cidrs=each.cidrs) for name, each in network.connections.items()
                },
                flow_log_retention_days=network.flow_log_retention_days,
            ),
            self._child,
        )

    def _buckets(self, keys: Keys) -> Buckets:
        buckets = self._settings.buckets
        return Buckets(
            "buckets",
            BucketsArgs(
                account=self._account,
                key_arn=keys.data.arn,
                force_destroy=buckets.force_destroy,
                noncurrent_days=buckets.noncurrent_days,
                infrequent_access_days=buckets.infrequent_access_days,
                access_log_days=buckets.access_log_days,
            ),
            self._stateful,
        )

    def _registry(self, keys: Keys) -> Registry:
        """Projects' repositories too: all of them can be made, and filled, before anything that runs their images."""
        registry = self._settings.registry
        return Registry(
            "registry",
            RegistryArgs(
                prefix=self._prefix,
                repositories=(*registry.repositories, *(repository(project.name) for project in self._projects)),
                key_arn=keys.data.arn,
                untagged_days=registry.untagged_days,
                keep_images=registry.keep_images,
                force_delete=registry.force_delete,
            ),
            self._stateful,
        )

    def _secrets(self, keys: Keys) -> Secrets:
        secrets = self._settings.secrets
        return Secrets(
            "secrets",
            SecretsArgs(
                account=self._account,
                prefix=self._prefix,
                names=secrets.names,
                key_arn=keys.secrets.arn,
                recovery_window_days=secrets.recovery_window_days,
            ),
            self._stateful,
        )

    def _database(self, keys: Keys, network: NetworkHandle) -> Database:
        database = self._settings.database
        return Database(
            "database",
            DatabaseArgs(
                prefix=self._prefix,
                vpc_id=network.vpc_id,
                subnet_ids=tuple(network.intra_subnets.values()),
                storage_key_arn=keys.data.arn,
                secret_key_arn=keys.secrets.arn,
                logs_key_arn=keys.logs.arn,
                instance_class=database.instance_class,
                engine_version=database.engine_version,
                allocated_gib=database.allocated_storage_gb,
                max_allocated_gib=database.max_storage_gb,
                backup_days=database.backup_days,
                log_retention_days=database.log_retention_days,
                multi_az=database.multi_az,
                apply_immediately=database.apply_immediately,
                deletion_protection=database.deletion_protection,
                final_snapshot=not database.skip_final_snapshot,
            ),
            self._stateful,
        )
