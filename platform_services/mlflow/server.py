"""MLflow's server: runs and models in PostgreSQL, artifacts in the bucket. Only the server accesses both.
Clients sign in with an account and need no AWS permissions. A Job migrates the tables before pods of a new version
start.
https://mlflow.org/docs/latest/self-hosting/architecture/tracking-server/
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from components.buckets.buckets import BucketHandle
from components.database.database import PORT as DATABASE_PORT
from components.database.database import DatabaseHandle
from components.eks.arguments import ClusterHandle
from components.images.presence import BuiltImage, image_hooks
from components.images.sources import MLFLOW_REPOSITORY, ROOT
from components.secrets import Secrets, SecretsArgs, SecretSpec
from platform_services.handles import TrackingHandle
from platform_services.mlflow.access import MlflowAccess
from platform_services.mlflow.iam_policies import ARTIFACTS_PREFIX, server_policy, set_up_policy
from platform_services.mlflow.image_source import MLFLOW_IMAGE
from platform_services.mlflow.network import from_clients, to_database
from platform_services.mlflow.pods import (
    MADE_AGAIN,
    METRICS_PORT,
    NAME,
    PORT,
    URI,
    AccountArgs,
    PodAccount,
    container,
    labels,
    pod,
    pod_labels,
)
from platform_services.mlflow.rotation import rotation
from platform_services.mlflow.rotation_names import DATABASE
from platform_services.mlflow.security_group import PodGroup, PodGroupArgs
from platform_services.mlflow.spec import MlflowSpec
from platform_services.namespaces import ML_PLATFORM
from platform_services.network_policies import Ranges

SET_UP = "mlflow-set-up"
ADMIN_SECRET, DATABASE_SECRET = "mlflow/admin", "mlflow/database"
# Allowed Host headers, against https://owasp.org/www-community/attacks/DNS_Rebinding.
# The last two are for a forwarded port.
HOSTS = (
    *(f"{NAME}.{ML_PLATFORM}{domain}:{PORT}" for domain in ("", ".svc", ".svc.cluster.local")),
    "127.0.0.1:*",
    "localhost:*",
)


@dataclass(frozen=True, kw_only=True)
class MlflowArgs:
    """Section `mlflow` of the stack file, and the values of other components that the server needs.

    `namespace_ready` resolves once the namespace exists.
    """

    spec: MlflowSpec
    cluster: ClusterHandle
    environment: str
    namespace_ready: pulumi.Input[str]
    prefix: str
    vpc_id: pulumi.Input[str]
    repository_url: pulumi.Input[str]
    database: DatabaseHandle
    ranges: Ranges
    artifacts: BucketHandle
    data_key_arn: pulumi.Input[str]
    secrets_key_arn: pulumi.Input[str]
    recovery_window_days: int
    protect: bool


class Mlflow(pulumi.ComponentResource):
    handle: TrackingHandle
    ready: pulumi.Resource
    image_hooks: pulumi.ResourceHookBinding

    def __init__(self, name: str, args: MlflowArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:Mlflow", name, {}, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        tag = MLFLOW_IMAGE.tag(ROOT)
        self._image = pulumi.Output.format("{0}:{1}", args.repository_url, tag)
        repository = f"{args.prefix}/{MLFLOW_REPOSITORY}"
        built = BuiltImage(environment=args.environment, repository=repository, tag=tag)
        self.image_hooks = image_hooks(built, self)
        self._admin_secret_arn, self._database_secret_arn = self._secrets()
        MlflowAccess(f"{name}-people", args.namespace_ready, self._child)
        path = [self._group(), *self._policies()]
        set_up = self._set_up(path)
        self.ready = self._service(self._deployment([set_up, *path]))
        self.handle = TrackingHandle(
            uri=URI,
            namespace=ML_PLATFORM,
            labels=labels(NAME),
            port=PORT,
            image=self._image,
            admin_secret_arn=self._admin_secret_arn,
        )
        self.register_outputs({})

    def _secrets(self) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        """Create the secrets of administrator and database login. The set-up Job sets their first values."""
        args = self._args
        secrets = Secrets(
            f"{self._name}-secrets",
            SecretsArgs(
                spec=SecretSpec(names=(ADMIN_SECRET, DATABASE_SECRET), recovery_window_days=args.recovery_window_days),
                account=args.cluster.account,
                prefix=args.prefix,
                key_arn=args.secrets_key_arn,
            ),
            pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        return secrets.secrets[ADMIN_SECRET].arn, secrets.secrets[DATABASE_SECRET].arn

    def _group(self) -> PodGroup:
        args = self._args
        group = PodGroupArgs(
            prefix=args.prefix,
            vpc_id=args.vpc_id,
            vpc_cidr=args.ranges.vpc,
            cluster_group=args.cluster.security_group_id,
            database_group=args.database.security_group_id,
            namespace_ready=args.namespace_ready,
        )
        return PodGroup(f"{self._name}-pods", group, self._child)

    def _policies(self) -> list[pulumi.Resource]:
        return [
            k8s.networking.v1.NetworkPolicy(
                f"{self._name}-{policy}",
                metadata={"name": f"{NAME}-{policy}", "namespace": self._args.namespace_ready},
                spec=spec,
                opts=self._child,
            )
            for policy, spec in (
                ("database", to_database((NAME, SET_UP), self._args.ranges.vpc, DATABASE_PORT)),
                ("clients", from_clients()),
            )
        ]

    def _database_environment(self) -> Mapping[str, pulumi.Input[str]]:
        database = self._args.database
        return {
            "PLATFORM_REGION": self._args.cluster.region,
            "PLATFORM_DATABASE_HOST": database.address,
            "PLATFORM_DATABASE_PORT": str(DATABASE_PORT),
            "PLATFORM_DATABASE_SECRET": self._database_secret_arn,
            "PLATFORM_ADMIN_SECRET": self._admin_secret_arn,
        }

    def _pod_account(self, part: str, service_account: str, policy: pulumi.Input[str]) -> PodAccount:
        args = self._args
        return PodAccount(
            f"{self._name}-{part}",
            AccountArgs(
                cluster=args.cluster,
                namespace=ML_PLATFORM,
                namespace_ready=args.namespace_ready,
                service_account=service_account,
                policy=policy,
                ranges=args.ranges,
            ),
            self._child,
        )

    def _set_up(self, after: list[pulumi.Resource]) -> pulumi.Resource:
        """Create the set-up Job, which is replaced, and so runs again, whenever the image or the database changes.
        The rotation of the database's password has the same permissions: no other part acts as the master user.
        """
        args = self._args
        account = self._pod_account(
            "set-up",
            SET_UP,
            pulumi.Output.all(
                args.cluster.account.scope,
                args.database.master_secret_arn,
                self._database_secret_arn,
                self._admin_secret_arn,
                args.secrets_key_arn,
            ).apply(lambda known: set_up_policy(*known)),
        )
        environment = {**self._database_environment(), "PLATFORM_MASTER_SECRET": args.database.master_secret_arn}
        job = k8s.batch.v1.Job(
            f"{self._name}-set-up",
            metadata={
                "name": SET_UP,
                "namespace": args.namespace_ready,
                "labels": labels(SET_UP),
                "annotations": MADE_AGAIN,
            },
            spec={
                "backoff_limit": 3,
                "active_deadline_seconds": 1800,
                "template": {
                    "metadata": {"labels": pod_labels(SET_UP)},
                    "spec": {
                        **pod(SET_UP, container(SET_UP, self._image, "set_up", environment)),
                        "restart_policy": "Never",
                    },
                },
            },
            # The pod template of a Job is immutable, and its name is taken until the Job is deleted.
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[account, *after], delete_before_replace=True, hooks=self.image_hooks
            ),
        )
        main = container(SET_UP, self._image, "rotate_database", environment)
        opts = pulumi.ResourceOptions(parent=self, depends_on=[job], hooks=self.image_hooks)
        rotation(f"{self._name}-rotate-database", DATABASE, args.namespace_ready, main, opts)
        return job

    def _deployment(self, after: list[pulumi.Resource]) -> pulumi.Resource:
        args = self._args
        account = self._pod_account(
            "server",
            NAME,
            pulumi.Output.all(
                args.cluster.account.scope,
                [self._database_secret_arn, self._admin_secret_arn],
                args.secrets_key_arn,
                args.artifacts.name,
                args.data_key_arn,
            ).apply(lambda known: server_policy(*known)),
        )
        environment: Mapping[str, pulumi.Input[str]] = {
            **self._database_environment(),
            "PLATFORM_ARTIFACTS": args.artifacts.name.apply(lambda bucket: f"s3://{bucket}/{ARTIFACTS_PREFIX[:-1]}"),
            "PLATFORM_ALLOWED_HOSTS": ",".join(HOSTS),
            "PLATFORM_PORT": str(PORT),
            "PLATFORM_METRICS_PORT": str(METRICS_PORT),
            "PLATFORM_WORKERS": str(args.spec.workers),
        }
        health: k8s.core.v1.HTTPGetActionArgsDict = {"path": "/health", "port": "http"}
        memory = (f"{512 + 320 * args.spec.workers}Mi", f"{1024 + 512 * args.spec.workers}Mi")
        main: k8s.core.v1.ContainerArgsDict = {
            **container(NAME, self._image, "serve", environment, memory),
            "ports": [
                {"name": "http", "container_port": PORT},
                {"name": "metrics", "container_port": METRICS_PORT},
            ],
            "startup_probe": {"http_get": health, "period_seconds": 2, "failure_threshold": 90},
            "readiness_probe": {"http_get": health, "period_seconds": 5, "timeout_seconds": 5},
            "liveness_probe": {"http_get": health, "period_seconds": 10, "timeout_seconds": 10, "failure_threshold": 6},
            # The server runs until it is removed from the Service's endpoints everywhere.
            "lifecycle": {"pre_stop": {"sleep": {"seconds": 5}}},
        }
        return k8s.apps.v1.Deployment(
            f"{self._name}-deployment",
            metadata={"name": NAME, "namespace": args.namespace_ready, "labels": labels(NAME)},
            spec={
                "replicas": args.spec.replicas,
                "selector": {"match_labels": labels(NAME)},
                "strategy": {"type": "RollingUpdate", "rolling_update": {"max_unavailable": 0, "max_surge": 1}},
                "template": {
                    "metadata": {"labels": pod_labels(NAME)},
                    "spec": {
                        **pod(NAME, main),
                        "termination_grace_period_seconds": 60,
                        "topology_spread_constraints": [
                            {
                                "max_skew": 1,
                                "topology_key": key,
                                "when_unsatisfiable": "ScheduleAnyway",
                                "label_selector": {"match_labels": labels(NAME)},
                            }
                            for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
                        ],
                    },
                },
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[account, *after], hooks=self.image_hooks),
        )

    def _service(self, deployment: pulumi.Resource) -> pulumi.Resource:
        namespace = self._args.namespace_ready
        k8s.policy.v1.PodDisruptionBudget(
            f"{self._name}-disruptions",
            metadata={"name": NAME, "namespace": namespace},
            spec={"max_unavailable": 1, "selector": {"match_labels": labels(NAME)}},
            opts=self._child,
        )
        return k8s.core.v1.Service(
            f"{self._name}-service",
            metadata={"name": NAME, "namespace": namespace, "labels": labels(NAME)},
            spec={"selector": labels(NAME), "ports": [{"name": "http", "port": PORT, "target_port": "http"}]},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[deployment]),
        )
