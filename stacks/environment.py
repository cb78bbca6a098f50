"""One environment: the layers, from the network upwards, each given what the one below it hands out."""

import ipaddress
from dataclasses import replace
from fnmatch import fnmatchcase

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.boundary import Boundary, BoundaryArgs
from components.budget import Budget, BudgetArgs
from components.ci_trust import Workflows, github_provider_arn
from components.eks import ClusterHandle
from components.identities import Identities, IdentitiesArgs
from components.images import ROOT
from components.notifications import Notifications
from ml_workloads.deployment import Workloads, WorkloadsArgs
from ml_workloads.project import Project
from ml_workloads.project.neighbours import conflicts
from platform_services import Platform, PlatformArgs, PlatformHandle, Ranges, Retention
from platform_services.namespaces import ML_PLATFORM
from stacks.cluster import ClusterLayer
from stacks.foundation import Foundation, FoundationHandle
from stacks.providers import identifying_tags, kubernetes_provider
from stacks.settings import PlatformSettings


def refuse_conflicts(settings: PlatformSettings, projects: tuple[Project, ...]) -> None:
    """Raise RunError where names of projects and of the environment's teams are in each other's way."""
    teams = {name: team.namespaces for name, team in settings.cluster.teams.items()}
    problems = list(conflicts(projects, teams, settings.registry.repositories))
    if problems:
        raise pulumi.RunError("\n".join(problems))


def api_address(service_cidr: str) -> str:
    """Return the address of the Service `kubernetes`, the first of the services' range.

    https://kubernetes.io/docs/concepts/services-networking/cluster-ip-allocation/
    """
    return f"{ipaddress.IPv4Network(service_cidr)[1]}/32"


class Environment(pulumi.ComponentResource):
    foundation: FoundationHandle
    cluster: ClusterHandle
    platform: PlatformHandle
    workloads: Workloads
    exports: dict[str, pulumi.Input[object]]

    def __init__(
        self,
        name: str,
        settings: PlatformSettings,
        projects: tuple[Project, ...],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        refuse_conflicts(settings, projects)
        super().__init__("mlops:index:Environment", name, {}, opts)
        self._settings = settings
        self._child = pulumi.ResourceOptions(parent=self)
        self._prefix = f"{pulumi.get_project()}-{settings.environment}"
        self._account = self._bounded(self._current_account())

        here = tuple(project for project in projects if settings.environment in project.environments)
        self.foundation = Foundation(settings, here, self._account, self._prefix, self).make()
        budget = self._budget(self.foundation.notifications)
        identities = self._identities()
        layer = ClusterLayer(settings, self.foundation, identities, self._administered(here), self)
        self.cluster = layer.handle
        self.platform = self._platform()
        self.workloads = Workloads(
            "workloads", WorkloadsArgs(platform=self.platform, projects=projects, root=ROOT), self._child
        )
        self.exports = self._exports(identities, budget, layer.access_roles)
        self.register_outputs(self.exports)

    def _current_account(self) -> Account:
        """Asked of the provider, so that no account number is ever written down."""
        asked = pulumi.InvokeOptions(parent=self)
        return Account(
            id=aws.get_caller_identity_output(opts=asked).account_id,
            partition=aws.get_partition_output(opts=asked).partition,
            region=self._settings.region,
        )

    def _bounded(self, account: Account) -> Account:
        """The boundary comes first: no role is ever without it."""
        args = BoundaryArgs(
            account=account,
            prefix=self._prefix,
            resource_tags=identifying_tags(self._settings),
            state_bucket=self._settings.identities.state_bucket,
        )
        return replace(account, role_boundary=Boundary("boundary", args, self._child).arn)

    def _administered(self, projects: tuple[Project, ...]) -> tuple[str, ...]:
        """What the platform's team administers: namespaces of teams and projects, and MLflow's.

        Whoever administers a namespace acts as its service accounts. In a privileged one that is the node with all that
        runs on it; beside the autoscaler it is every node and the eviction of every pod.
        """
        teams = [name for team in self._settings.cluster.teams.values() for name in team.namespaces]
        others = (each.namespace for each in projects if not any(fnmatchcase(each.namespace, name) for name in teams))
        return tuple(sorted({ML_PLATFORM, *teams, *others}))

    def _platform(self) -> PlatformHandle:
        kubernetes = kubernetes_provider(self.cluster, self)
        settings, foundation = self._settings, self.foundation
        args = PlatformArgs(
            cluster=self.cluster,
            kubernetes=kubernetes,
            environment=settings.environment,
            prefix=self._prefix,
            vpc_id=foundation.network.vpc_id,
            ranges=Ranges(
                vpc=foundation.network.cidr,
                endpoints=foundation.network.endpoint_ranges,
                kubernetes=(api_address(settings.network.service_cidr), *foundation.network.intra_ranges),
            ),
            data_key_arn=foundation.keys.data.arn,
            secrets_key_arn=foundation.keys.secrets.arn,
            data_lake=foundation.buckets.data_lake,
            artifacts=foundation.buckets.model_artifacts,
            database=foundation.database.handle,
            repository_urls={name: each.url for name, each in foundation.registry.repositories.items()},
            retention=Retention(
                protect=settings.protect,
                recovery_window_days=settings.secrets.recovery_window_days,
            ),
            mlflow_replicas=settings.mlflow.replicas,
            mlflow_workers=settings.mlflow.workers,
            scale_down_minutes=settings.cluster.autoscaler.scale_down_minutes,
        )
        return Platform("platform", args, pulumi.ResourceOptions(parent=self, providers=[kubernetes])).handle

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
        pools = self._settings.cluster.pools.values()
        connections = self._settings.network.connections.values()
        return Identities(
            "identities",
            IdentitiesArgs(
                account=self._account,
                prefix=self._prefix,
                workflows=Workflows(
                    repository=identities.github_repository,
                    deploy_branches=identities.protected_branches,
                    deploy_environments=identities.github_environments,
                    preview_branches=identities.preview_branches,
                ),
                resource_tags=identifying_tags(self._settings),
                state_bucket=identities.state_bucket,
                state_key_alias=identities.state_key_alias,
                vpc_id=self.foundation.network.vpc_id,
                capacity_reservations=tuple(
                    sorted(pool.capacity_reservation for pool in pools if pool.capacity_reservation)
                ),
                transit_gateways=tuple(sorted(each.gateway for each in connections if each.gateway.startswith("tgw-"))),
                oidc_provider_arn=existing,
            ),
            self._child,
        )

    def _exports(
        self, identities: Identities, budget: Budget, access_roles: dict[str, pulumi.Output[str]]
    ) -> dict[str, pulumi.Input[object]]:
        """Addresses and names only; none of them is a secret."""
        foundation, cluster = self.foundation, self.cluster
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
            "push_role_arn": identities.push_role_arn,
            "cluster_name": cluster.name,
            "cluster_endpoint": cluster.endpoint,
            "cluster_version": cluster.version,
            "cluster_security_group_id": cluster.security_group_id,
            "cluster_role_arns": dict(access_roles),
            "oidc_issuer": cluster.oidc_issuer,
            "oidc_provider_arn": cluster.oidc_provider_arn,
            "mlflow_uri": self.platform.tracking.uri,
            "mlflow_admin_secret_arn": self.platform.tracking.admin_secret_arn,
            "projects": self.workloads.exports,
            "kubeconfig_command": pulumi.Output.format(
                "aws eks update-kubeconfig --region {0} --name {1}", self._settings.region, cluster.name
            ),
        }
