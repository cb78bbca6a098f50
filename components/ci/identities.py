"""GitHub Actions identities without stored keys: the account's OIDC provider, and roles for preview, deploy and push.

An administrator deploys this component; AWS denies the deploy role any change of it (AccessDenied). Names are fixed,
because workflows name the roles, and because the denials that protect the roles match them by name.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.ci.cluster import cluster_change_statements, cluster_read_statements
from components.ci.deploy_identity import escalation_denials, identity_statements, state_denials, state_write_statements
from components.ci.deploy_network import change_statements, create_statements
from components.ci.deploy_services import data_statements, key_statements, operations_statements
from components.ci.github import GITHUB_OIDC_URL, STS_AUDIENCE, github_provider_arn
from components.ci.push import push_statements
from components.ci.read_access import Reach, data_denials, describe_statements, state_read_statements
from components.ci.spec import IdentitySpec
from components.ci.trust import (
    deploy_role_name,
    deploy_trust,
    preview_role_name,
    preview_trust,
    push_role_name,
    push_trust,
)
from components.iam_documents import Scope, Statement, managed_document
from components.naming import check_prefix

Builder = Callable[[Reach], Sequence[Statement]]

SESSION_SECONDS = 3600

# Statement builders by policy name. One policy per concern, because a managed policy holds 6,144 characters.
PREVIEW_POLICIES: Mapping[str, tuple[Builder, ...]] = {
    "read": (describe_statements,),
    "read-cluster": (cluster_read_statements,),
    "preview-state": (state_read_statements, data_denials),
}
# Policies that the deploy role shares with the preview role.
SHARED_POLICIES = ("read", "read-cluster")
DEPLOY_POLICIES: Mapping[str, tuple[Builder, ...]] = {
    "deploy-network-create": (create_statements,),
    "deploy-network-change": (change_statements,),
    "deploy-cluster": (cluster_change_statements,),
    "deploy-data": (data_statements, key_statements),
    "deploy-operations": (operations_statements, identity_statements),
    "deploy-state": (state_read_statements, state_write_statements, state_denials),
    "deploy-limits": (escalation_denials, data_denials),
}
PUSH_POLICIES: Mapping[str, tuple[Builder, ...]] = {"push-images": (push_statements,)}


@dataclass(frozen=True, kw_only=True)
class IdentitiesHandle:
    """ARNs of the roles of GitHub's workflows, and of the provider that they sign in by."""

    preview_role_arn: pulumi.Output[str]
    deploy_role_arn: pulumi.Output[str]
    push_role_arn: pulumi.Output[str]


@dataclass(frozen=True, kw_only=True)
class IdentitiesArgs:
    """Arguments of the identities.

    Attributes:
        spec: Section `identities` of the stack file.
        account: Account of the roles.
        prefix: Start of the names of the environment's resources.
        resource_tags: Default tags that identify the environment's resources.
        vpc_id: VPC of the environment.
        capacity_reservations: Capacity reservations of the node pools.
        transit_gateways: Transit gateways of the network's connections.
    """

    spec: IdentitySpec
    account: Account
    prefix: str
    resource_tags: Mapping[str, str]
    vpc_id: pulumi.Input[str]
    capacity_reservations: tuple[str, ...] = ()
    transit_gateways: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_prefix(self.prefix)
        if not self.resource_tags:
            raise ValueError("resource_tags must name the default tags that tell this environment's resources apart")


class Identities(pulumi.ComponentResource):
    handle: IdentitiesHandle

    def __init__(self, name: str, args: IdentitiesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:Identities", name, {}, opts)
        self._logical_name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)

        provider_arn = self._github_provider()
        policies = {
            key: self._policy(key, builders)
            for key, builders in {**PREVIEW_POLICIES, **DEPLOY_POLICIES, **PUSH_POLICIES}.items()
        }
        preview_role_arn = self._role(
            "preview",
            preview_role_name(args.prefix),
            "Previews changes of pull requests: reads descriptions and state, changes nothing",
            provider_arn.apply(lambda arn: preview_trust(arn, args.spec)),
            {key: policies[key] for key in PREVIEW_POLICIES},
        )
        deploy_role_arn = self._role(
            "deploy",
            deploy_role_name(args.prefix),
            "Deploys from protected branches and environments: this environment's resources only, never itself",
            provider_arn.apply(lambda arn: deploy_trust(arn, args.spec)),
            {key: policies[key] for key in (*SHARED_POLICIES, *DEPLOY_POLICIES)},
        )
        push_role_arn = self._role(
            "push",
            push_role_name(args.prefix),
            "Pushes images to this environment's repositories, from where deployments come; deletes none",
            provider_arn.apply(lambda arn: push_trust(arn, args.spec)),
            {key: policies[key] for key in PUSH_POLICIES},
        )
        self.handle = IdentitiesHandle(
            preview_role_arn=preview_role_arn, deploy_role_arn=deploy_role_arn, push_role_arn=push_role_arn
        )
        self.register_outputs({})

    def _github_provider(self) -> pulumi.Output[str]:
        """Return the ARN of GitHub's OIDC provider, which this environment creates unless the account has it.

        AWS verifies GitHub's certificates with its own CAs, so no thumbprint is pinned.
        """
        if self._args.spec.oidc_provider == "existing":
            return self._args.account.scope.apply(github_provider_arn)
        return aws.iam.OpenIdConnectProvider(
            f"{self._logical_name}-github",
            url=GITHUB_OIDC_URL,
            client_id_lists=[STS_AUDIENCE],
            tags={"Name": "github-actions"},
            opts=self._child,
        ).arn

    def _policy(self, key: str, builders: tuple[Builder, ...]) -> pulumi.Output[str]:
        args = self._args

        def render(scope: Scope, vpc_id: str) -> str:
            reach = Reach(
                scope=scope,
                prefix=args.prefix,
                tags=args.resource_tags,
                state_bucket=args.spec.state_bucket,
                state_key_alias=args.spec.state_key_alias,
                vpc_id=vpc_id,
                capacity_reservations=args.capacity_reservations,
                transit_gateways=args.transit_gateways,
            )
            return managed_document(statement for builder in builders for statement in builder(reach))

        return aws.iam.Policy(
            f"{self._logical_name}-{key}",
            name=f"{args.prefix}-ci-{key}",
            description=f"Continuous integration of {args.prefix}: {key.replace('-', ' ')}",
            policy=pulumi.Output.all(args.account.scope, args.vpc_id).apply(lambda known: render(*known)),
            opts=self._child,
        ).arn

    def _role(
        self,
        purpose: str,
        role_name: str,
        description: str,
        trust: pulumi.Output[str],
        policies: Mapping[str, pulumi.Output[str]],
    ) -> pulumi.Output[str]:
        role = aws.iam.Role(
            f"{self._logical_name}-{purpose}",
            name=role_name,
            description=description,
            assume_role_policy=trust,
            max_session_duration=SESSION_SECONDS,
            opts=self._child,
        )
        for key, policy_arn in policies.items():
            aws.iam.RolePolicyAttachment(
                f"{self._logical_name}-{purpose}-{key}", role=role.name, policy_arn=policy_arn, opts=self._child
            )
        return role.arn
