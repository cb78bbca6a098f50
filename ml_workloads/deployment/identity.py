"""Identity of a project's pods: a service account, and the AWS role that belongs to it."""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from components.pod_identity import PodIdentity, PodRoleArgs
from ml_workloads.deployment.arguments import PartArgs, labels, metadata


def role_name(prefix: str, project: str, part: str) -> str:
    """Return the name of the role.

    It is fixed, because for long project names an automatic name would exceed IAM's limit.
    """
    return f"{prefix}-ml-{project}-{part}"


@dataclass(frozen=True, kw_only=True)
class IdentityArgs:
    """Arguments of an identity.

    Attributes:
        part: arguments of the part that the pods belong to.
        name: name of the service account.
        policy: IAM policy of the pods; without one they have no AWS role.
        on_cluster: the pods mount the service account's token, because the account has permissions on the cluster.
    """

    part: PartArgs
    name: str
    policy: pulumi.Input[str] | None = None
    on_cluster: bool = False


class Identity(pulumi.ComponentResource):
    """A service account and its AWS role. `service_account` is its name and resolves once the account exists."""

    service_account: pulumi.Output[str]

    def __init__(self, name: str, args: IdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:ProjectIdentity", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        platform, project = args.part.platform, args.part.project
        account = k8s.core.v1.ServiceAccount(
            f"{name}-account",
            metadata=metadata(args.name, args.part.namespace, labels(project, args.name)),
            automount_service_account_token=args.on_cluster,
            opts=child,
        )
        if args.policy is not None:
            fixed = role_name(platform.prefix, project.name, args.name)
            PodIdentity(
                f"{name}-pod",
                PodRoleArgs(
                    account=platform.account,
                    cluster_name=platform.cluster.plain_name,
                    cluster=platform.cluster.name,
                    namespace=project.namespace,
                    service_account=args.name,
                    role_name=fixed,
                    policy=args.policy,
                    tags={"Name": fixed},
                ),
                child,
            )
        self.service_account = account.metadata.apply(lambda made: made.name or "")
        self.register_outputs({})
