"""Accounts of MLflow, as the program declares them: two per project, limited to its own experiment and model.

The first has the project's name and is for people and the conductor of a run. The second, the reader, is for pods that
serve and may change nothing. Passwords are generated on the cluster and stored in Secrets Manager; neither this program
nor its state ever contains one.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_kubernetes as k8s

from components.naming import check_unique
from components.secrets import SecretHandle, Secrets, SecretsArgs, SecretSpec
from platform_services.handles import PlatformHandle, PlatformOrder
from platform_services.mlflow.iam_policies import ACCOUNTS_PREFIX, accounts_policy
from platform_services.mlflow.pods import MADE_AGAIN, AccountArgs, PodAccount, container, labels, pod, pod_labels
from platform_services.mlflow.rotation import rotation
from platform_services.mlflow.rotation_names import ACCOUNTS as ROTATED_ACCOUNTS
from platform_services.mlflow.rotation_names import ADMINISTRATOR, VARIABLE
from platform_services.network_policies import to_service

ACCOUNTS = "mlflow-accounts"


def reader(project: str) -> str:
    """Return the account name of a project's pods that serve. It is unique, because names of projects have no dot."""
    return f"{project}.serving"


def account_secret(project: str) -> str:
    """Return the name of the secret of a project's account, without the environment's prefix.

    The suffix is needed because a project's name may have an ending that a secret's name may not have.
    """
    return f"{ACCOUNTS_PREFIX}{project}/password"


def reader_secret(project: str) -> str:
    """Return the name of the secret of a project's reader, without the environment's prefix."""
    return f"{ACCOUNTS_PREFIX}{project}/serving"


@dataclass(frozen=True, kw_only=True)
class MlflowAccountsArgs:
    platform: PlatformHandle
    projects: tuple[str, ...]
    order: PlatformOrder = field(default_factory=PlatformOrder, repr=False)

    def __post_init__(self) -> None:
        check_unique("projects", self.projects)


class MlflowAccounts(pulumi.ComponentResource):
    """The accounts of all projects, and the Job that creates and updates them.

    `ready` completes when MLflow has the accounts, with their experiments, registered models and permissions. `secrets`
    and `readers` hold their passwords, by project. If no project is left, the Job still runs: it removes the last
    account.
    """

    secrets: Mapping[str, SecretHandle]
    readers: Mapping[str, SecretHandle]
    ready: pulumi.Resource

    def __init__(self, name: str, args: MlflowAccountsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:MlflowAccounts", name, {}, opts)
        platform, tracking = args.platform, args.platform.tracking
        child = pulumi.ResourceOptions(parent=self)
        namespace = platform.namespaces[tracking.namespace]
        names = tuple(named(project) for project in args.projects for named in (account_secret, reader_secret))
        entries = Secrets(
            f"{name}-secrets",
            SecretsArgs(
                spec=SecretSpec(names=names, recovery_window_days=platform.retention.recovery_window_days),
                account=platform.account,
                prefix=platform.prefix,
                key_arn=platform.secrets_key_arn,
            ),
            # Not protected: the next run generates a new password for a lost one.
            child,
        )
        self.secrets = {project: entries.secrets[account_secret(project)] for project in args.projects}
        self.readers = {project: entries.secrets[reader_secret(project)] for project in args.projects}
        readers = {reader(project): secret for project, secret in self.readers.items()}
        accounts = {name: secret.arn for name, secret in sorted({**self.secrets, **readers}.items())}
        pods = PodAccount(
            f"{name}-pod",
            AccountArgs(
                cluster=platform.cluster,
                namespace=tracking.namespace,
                namespace_ready=namespace,
                service_account=ACCOUNTS,
                policy=pulumi.Output.all(
                    scope=platform.account.scope,
                    admin_secret=tracking.admin_secret_arn,
                    secrets_key=platform.secrets_key_arn,
                ).apply(lambda known: accounts_policy(prefix=platform.prefix, **known)),
                ranges=platform.ranges,
            ),
            child,
        )
        way = k8s.networking.v1.NetworkPolicy(
            f"{name}-mlflow",
            metadata={"name": ACCOUNTS, "namespace": namespace},
            spec={
                "pod_selector": {"match_labels": labels(ACCOUNTS)},
                "policy_types": ["Egress"],
                "egress": [to_service(tracking.namespace, tracking.labels, tracking.port)],
            },
            opts=child,
        )
        environment = {
            "PLATFORM_SERVER": tracking.uri,
            "PLATFORM_ADMIN_SECRET": tracking.admin_secret_arn,
            "PLATFORM_ACCOUNTS": pulumi.Output.json_dumps(accounts),
        }
        self.ready = k8s.batch.v1.Job(
            f"{name}-job",
            metadata={
                "name": ACCOUNTS,
                "namespace": namespace,
                "labels": labels(ACCOUNTS),
                "annotations": MADE_AGAIN,
            },
            spec={
                "backoff_limit": 3,
                "active_deadline_seconds": 900,
                "template": {
                    "metadata": {"labels": pod_labels(ACCOUNTS)},
                    "spec": {
                        **pod(ACCOUNTS, container(ACCOUNTS, tracking.image, "accounts", environment)),
                        "restart_policy": "Never",
                    },
                },
            },
            # The pod template of a Job is immutable, and its name is taken until the Job is deleted.
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[pods, way, *args.order.tracking],
                delete_before_replace=True,
                hooks=args.order.tracking_image,
            ),
        )
        rotating = {**environment, VARIABLE: json.dumps([ROTATED_ACCOUNTS, ADMINISTRATOR])}
        rotation(
            f"{name}-rotate",
            ROTATED_ACCOUNTS,
            namespace,
            container(ACCOUNTS, tracking.image, "rotate_accounts", rotating),
            pulumi.ResourceOptions(parent=self, depends_on=[self.ready], hooks=args.order.tracking_image),
        )
        self.register_outputs({})
