"""The foundation layer: everything of an environment that exists before there is a cluster.

It holds the network, keys, data, the bounds and roles of the account, notifications and the budget.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.boundary import Boundary, BoundaryArgs
from components.buckets.buckets import Buckets, BucketsArgs, BucketsHandle
from components.budget.budget import Budget, BudgetArgs
from components.ci.identities import Identities, IdentitiesArgs, IdentitiesHandle
from components.database.arguments import DatabaseArgs
from components.database.database import Database, DatabaseHandle
from components.keys import Keys, KeysArgs, KeysHandle
from components.network.arguments import NetworkArgs, NetworkHandle
from components.network.network import Network
from components.notifications.notifications import Notifications, NotificationsArgs
from components.registry import Registry, RegistryArgs, RepositoryHandle
from components.secrets import SecretHandle, Secrets, SecretsArgs
from stacks.providers import identifying_tags
from stacks.settings import PlatformSettings


@dataclass(frozen=True, kw_only=True)
class FoundationArgs:
    """Arguments of the foundation.

    Attributes:
        settings: Settings of the environment.
        prefix: Start of the names of the environment's resources.
        repositories: Names of further image repositories, without the prefix: those of the environment's projects. All
            repositories exist, and can be filled, before anything runs their images.
    """

    settings: PlatformSettings
    prefix: str
    repositories: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FoundationHandle:
    """All that the layers above may use of the foundation.

    Attributes:
        repositories: Image repositories by their names without the prefix.
        secrets: Secrets by their names without the prefix.
    """

    account: Account
    prefix: str
    network: NetworkHandle
    keys: KeysHandle
    buckets: BucketsHandle
    repositories: Mapping[str, RepositoryHandle]
    secrets: Mapping[str, SecretHandle]
    database: DatabaseHandle
    identities: IdentitiesHandle
    notifications_topic_arn: pulumi.Output[str]
    budget_name: pulumi.Output[str]


class Foundation(pulumi.ComponentResource):
    """Components of AWS that the cluster and the platform stand on.

    Attributes:
        handle: Names and addresses for the layers above.
        network: Component that ends with the last route and endpoint, for resources that need a way out.
    """

    handle: FoundationHandle
    network: Network

    def __init__(self, name: str, args: FoundationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:Foundation", name, {}, opts)
        self._settings, self._prefix = args.settings, args.prefix
        self._child = pulumi.ResourceOptions(parent=self)
        # Protection follows the lifecycle: resources that hold data are protected, all others can be made again.
        self._stateful = pulumi.ResourceOptions(parent=self, protect=args.settings.protect)
        self._account = self._bounded(self._current_account())
        keys = self._keys()
        self.network = self._network(keys)
        topic_arn = self._notifications(keys)
        self.handle = FoundationHandle(
            account=self._account,
            prefix=self._prefix,
            network=self.network.handle,
            keys=keys,
            buckets=self._buckets(keys),
            repositories=self._repositories(keys, args.repositories),
            secrets=self._secrets(keys),
            database=self._database(keys, self.network.handle),
            identities=self._identities(self.network.handle),
            notifications_topic_arn=topic_arn,
            budget_name=self._budget(topic_arn),
        )
        self.register_outputs(self.exports)

    @property
    def exports(self) -> dict[str, pulumi.Input[object]]:
        """Return the outputs of the stack: addresses and names, no secret."""
        made = self.handle
        return {
            "vpc_id": made.network.vpc_id,
            "private_subnet_ids": list(made.network.private_subnets.values()),
            "data_lake_bucket": made.buckets.data_lake.name,
            "model_artifacts_bucket": made.buckets.model_artifacts.name,
            "feature_data_bucket": made.buckets.feature_data.name,
            "repository_urls": {name: each.url for name, each in made.repositories.items()},
            "secret_arns": {name: each.arn for name, each in made.secrets.items()},
            "database_endpoint": made.database.endpoint,
            "database_secret_arn": made.database.master_secret_arn,
            "notifications_topic_arn": made.notifications_topic_arn,
            "budget_name": made.budget_name,
            "preview_role_arn": made.identities.preview_role_arn,
            "deploy_role_arn": made.identities.deploy_role_arn,
            "push_role_arn": made.identities.push_role_arn,
        }

    def _current_account(self) -> Account:
        """Ask the provider, so that no account number is ever written down."""
        asked = pulumi.InvokeOptions(parent=self)
        return Account(
            id=aws.get_caller_identity_output(opts=asked).account_id,
            partition=aws.get_partition_output(opts=asked).partition,
            region=self._settings.region,
        )

    def _bounded(self, account: Account) -> Account:
        """Make the boundary first: no role is ever without it."""
        args = BoundaryArgs(
            account=account,
            prefix=self._prefix,
            resource_tags=identifying_tags(self._settings),
            state_bucket=self._settings.identities.state_bucket,
        )
        return replace(account, role_boundary=Boundary("boundary", args, self._child).arn)

    def _keys(self) -> KeysHandle:
        args = KeysArgs(spec=self._settings.keys, account=self._account, prefix=self._prefix)
        return Keys("keys", args, self._stateful).handle

    def _network(self, keys: KeysHandle) -> Network:
        args = NetworkArgs(spec=self._settings.network, account=self._account, logs_key_arn=keys.logs.arn)
        return Network("network", args, self._child)

    def _notifications(self, keys: KeysHandle) -> pulumi.Output[str]:
        args = NotificationsArgs(spec=self._settings.notifications, account=self._account, key_arn=keys.data.arn)
        return Notifications("notifications", args, self._child).topic_arn

    def _budget(self, topic_arn: pulumi.Output[str]) -> pulumi.Output[str]:
        args = BudgetArgs(
            spec=self._settings.budget,
            prefix=self._prefix,
            environment=self._settings.environment,
            topic_arn=topic_arn,
        )
        return Budget("budget", args, self._child).budget_name

    def _identities(self, network: NetworkHandle) -> IdentitiesHandle:
        reservations = {pool.capacity_reservation for pool in self._settings.cluster.pools.values()} - {""}
        gateways = [each.gateway for each in self._settings.network.connections.values()]
        args = IdentitiesArgs(
            spec=self._settings.identities,
            account=self._account,
            prefix=self._prefix,
            resource_tags=identifying_tags(self._settings),
            vpc_id=network.vpc_id,
            capacity_reservations=tuple(sorted(reservations)),
            transit_gateways=tuple(sorted(each for each in gateways if each.startswith("tgw-"))),
        )
        return Identities("identities", args, self._child).handle

    def _buckets(self, keys: KeysHandle) -> BucketsHandle:
        args = BucketsArgs(spec=self._settings.buckets, account=self._account, key_arn=keys.data.arn)
        return Buckets("buckets", args, self._stateful).handle

    def _repositories(self, keys: KeysHandle, others: tuple[str, ...]) -> Mapping[str, RepositoryHandle]:
        args = RegistryArgs(
            spec=self._settings.registry, prefix=self._prefix, key_arn=keys.data.arn, further_repositories=others
        )
        return Registry("registry", args, self._stateful).repositories

    def _secrets(self, keys: KeysHandle) -> Mapping[str, SecretHandle]:
        args = SecretsArgs(
            spec=self._settings.secrets, account=self._account, prefix=self._prefix, key_arn=keys.secrets.arn
        )
        return Secrets("secrets", args, self._stateful).secrets

    def _database(self, keys: KeysHandle, network: NetworkHandle) -> DatabaseHandle:
        args = DatabaseArgs(
            spec=self._settings.database,
            prefix=self._prefix,
            vpc_id=network.vpc_id,
            subnet_ids=tuple(network.intra_subnets.values()),
            storage_key_arn=keys.data.arn,
            secret_key_arn=keys.secrets.arn,
            logs_key_arn=keys.logs.arn,
        )
        return Database("database", args, self._stateful).handle
