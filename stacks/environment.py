"""One environment: the layers, from the network upwards, each given what the one below it hands out."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.buckets import Buckets, BucketsArgs
from components.budget import Budget, BudgetArgs
from components.ci_trust import Workflows, github_provider_arn
from components.database import Database
from components.database_args import DatabaseArgs
from components.identities import Identities, IdentitiesArgs
from components.keys import Keys, KeysArgs
from components.network import Network, NetworkArgs, NetworkHandle
from components.notifications import Notifications, NotificationsArgs
from components.registry import Registry, RegistryArgs
from components.secrets import Secrets, SecretsArgs
from stacks.providers import identifying_tags
from stacks.settings import PlatformSettings


@dataclass(frozen=True, kw_only=True)
class FoundationHandle:
    """What the AWS foundation hands to the layers above: nothing else of it may be used."""

    account: Account
    prefix: str
    network: NetworkHandle
    keys: Keys
    buckets: Buckets
    registry: Registry
    secrets: Secrets
    database: Database
    notifications: Notifications


class Environment(pulumi.ComponentResource):
    foundation: FoundationHandle
    exports: dict[str, pulumi.Input[object]]

    def __init__(self, name: str, settings: PlatformSettings, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:Environment", name, {}, opts)
        self._settings = settings
        self._child = pulumi.ResourceOptions(parent=self)
        # Protection follows lifecycle: what holds data is protected, what can be made again is not.
        self._stateful = pulumi.ResourceOptions(parent=self, protect=settings.protect)
        self._prefix = f"{pulumi.get_project()}-{settings.environment}"
        self._account = self._current_account()

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
        self.foundation = FoundationHandle(
            account=self._account,
            prefix=self._prefix,
            network=network.handle,
            keys=keys,
            buckets=self._buckets(keys),
            registry=self._registry(keys),
            secrets=self._secrets(keys),
            database=self._database(keys, network.handle),
            notifications=notifications,
        )
        budget = self._budget(notifications)
        identities = self._identities()
        self.exports = self._exports(identities, budget)
        self.register_outputs(self.exports)

    def _current_account(self) -> Account:
        """Asked of the provider, so that no account number is ever written down."""
        asked = pulumi.InvokeOptions(parent=self)
        return Account(
            id=aws.get_caller_identity_output(opts=asked).account_id,
            partition=aws.get_partition_output(opts=asked).partition,
            region=self._settings.region,
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
        registry = self._settings.registry
        return Registry(
            "registry",
            RegistryArgs(
                prefix=self._prefix,
                repositories=registry.repositories,
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
        """No clients yet: whoever needs the database opens it to a security group of its own."""
        database = self._settings.database
        return Database(
            "database",
            DatabaseArgs(
                prefix=self._prefix,
                vpc_id=network.vpc_id,
                subnet_ids=tuple(network.intra_subnets.values()),
                clients={},
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

    def _budget(self, notifications: Notifications) -> Budget:
        budget = self._settings.budget
        return Budget(
            "budget",
            BudgetArgs(
                prefix=self._prefix,
                environment=self._settings.environment,
                monthly_limit_usd=budget.monthly_limit_usd,
                topic_arn=notifications.topic_arn,
                actual_percents=budget.thresholds_percent,
                forecast_percents=budget.forecast_percent,
            ),
            self._child,
        )

    def _identities(self) -> Identities:
        identities = self._settings.identities
        existing = self._account.scope.apply(github_provider_arn) if identities.oidc_provider == "existing" else None
        return Identities(
            "identities",
            IdentitiesArgs(
                account=self._account,
                prefix=self._prefix,
                workflows=Workflows(
                    repository=identities.github_repository,
                    deploy_branches=identities.protected_branches,
                    deploy_environments=identities.github_environments,
                ),
                resource_tags=identifying_tags(self._settings),
                state_bucket=identities.state_bucket,
                state_key_alias=identities.state_key_alias,
                oidc_provider_arn=existing,
            ),
            self._child,
        )

    def _exports(self, identities: Identities, budget: Budget) -> dict[str, pulumi.Input[object]]:
        """Addresses and names only; none of them is a secret."""
        foundation = self.foundation
        network, buckets = foundation.network, foundation.buckets
        return {
            "environment": self._settings.environment,
            "region": self._settings.region,
            "vpc_id": network.vpc_id,
            "private_subnet_ids": list(network.private_subnets.values()),
            "data_lake_bucket": buckets.data_lake.name,
            "model_artifacts_bucket": buckets.model_artifacts.name,
            "feature_data_bucket": buckets.feature_data.name,
            "repository_urls": {key: handle.url for key, handle in foundation.registry.repositories.items()},
            "secret_arns": {key: handle.arn for key, handle in foundation.secrets.secrets.items()},
            "database_endpoint": foundation.database.endpoint,
            "database_secret_arn": foundation.database.master_secret_arn,
            "notifications_topic_arn": foundation.notifications.topic_arn,
            "budget_name": budget.budget_name,
            "preview_role_arn": identities.preview_role_arn,
            "deploy_role_arn": identities.deploy_role_arn,
        }
