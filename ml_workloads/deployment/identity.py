"""Who a project's pods are: a service account, and the role on AWS that goes with it."""

import pulumi
import pulumi_kubernetes as k8s

from components.iam_documents import Scope
from components.pod_identity import PodIdentity, PodRoleArgs
from ml_workloads.deployment.arguments import PartArgs, labels, metadata
from ml_workloads.deployment.rights import DataToRead, project_policy
from ml_workloads.project import Project
from ml_workloads.project.deployment_names import data_prefix


def role_name(prefix: str, project: str, part: str) -> str:
    """Fixed, because an automatic name would be longer than IAM allows for projects with long names."""
    return f"{prefix}-ml-{project}-{part}"


class Identity(pulumi.ComponentResource):
    """`service_account` is its name once it exists. It has no rights on the cluster, so its pods mount no token.

    `reads_data`: they may read the project's objects in the data lake.
    """

    service_account: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        args: PartArgs,
        part: str,
        *,
        reads_data: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("mlops:index:ProjectIdentity", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        platform, project = args.platform, args.project
        account = k8s.core.v1.ServiceAccount(
            f"{name}-account",
            metadata=metadata(part, args.namespace, labels(project, part)),
            automount_service_account_token=False,
            opts=child,
        )
        fixed = role_name(platform.prefix, project.name, part)
        PodIdentity(
            f"{name}-pod",
            PodRoleArgs(
                account=platform.account,
                cluster_name=platform.cluster.plain_name,
                cluster=platform.cluster.name,
                namespace=project.namespace,
                service_account=part,
                role_name=fixed,
                policy=_policy(args, reads_data=reads_data),
                tags={"Name": fixed},
            ),
            child,
        )
        self.service_account = account.metadata.apply(lambda made: made.name or "")
        self.register_outputs({"service_account": self.service_account})


def _policy(args: PartArgs, *, reads_data: bool) -> pulumi.Output[str]:
    platform, project = args.platform, args.project
    arns: list[pulumi.Input[str]] = [args.account_secret_arn, *args.secret_arns.values()]
    known = pulumi.Output.all(
        scope=platform.account.scope,
        arns=pulumi.Output.all(*arns),
        secrets_key=platform.secrets_key_arn,
        bucket=platform.data_lake.name,
        data_key=platform.data_key_arn,
    )
    return known.apply(lambda found: _document(project, reads_data=reads_data, **found))


def _document(
    project: Project, *, reads_data: bool, scope: Scope, arns: list[str], secrets_key: str, bucket: str, data_key: str
) -> str:
    data = DataToRead(bucket=bucket, prefix=data_prefix(project.name), key_arn=data_key)
    return project_policy(scope, arns, secrets_key, data if reads_data else None)
