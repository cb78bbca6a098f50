"""iam:PassRole: a caller that hands a role to a service needs permission for that role and that service.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from moto.iam.models import iam_backends

from mlp_sandbox.emulator.authorization.documents import Access
from mlp_sandbox.emulator.authorization.request import AuthorizationRequest

# Operations whose role goes to a service other than the called one.
_PASSED_TO: Mapping[tuple[str, str], str] = {
    ("ec2", "CreateFlowLogs"): "vpc-flow-logs.amazonaws.com",
    ("eks", "CreatePodIdentityAssociation"): "pods.eks.amazonaws.com",
    ("eks", "UpdatePodIdentityAssociation"): "pods.eks.amazonaws.com",
    ("eks", "CreateFargateProfile"): "eks-fargate-pods.amazonaws.com",
    ("rds", "CreateDBInstance"): "monitoring.rds.amazonaws.com",
    ("rds", "ModifyDBInstance"): "monitoring.rds.amazonaws.com",
    ("ecs", "RegisterTaskDefinition"): "ecs-tasks.amazonaws.com",
}
# Prefixes whose requests name roles without passing them on.
_NEVER = frozenset({"iam", "sts", "kms", "s3", "secretsmanager", "sns", "sqs", "ecr", "tag", "ram", "organizations"})
# Parameters that name a role as a principal, not to pass it.
_PRINCIPALS = frozenset({"principalarn", "iamrolearn", "resourcearn", "resourcearnlist", "targetrolearn"})
_ROLE = re.compile(r"arn:[\w-]+:iam::\d{12}:role/\S+")
_READS = ("Describe", "List", "Get")


def passed_roles(ask: AuthorizationRequest) -> Iterator[Access]:
    """Yield one permission for each role that the request passes to a service."""
    operation = ask.identity.operation
    if ask.prefix == "iam" and operation == "AddRoleToInstanceProfile":
        yield from _pass(_role_arn(ask, ask.param("RoleName")), "ec2.amazonaws.com")
    if ask.prefix in _NEVER or operation.startswith(_READS):
        return
    service = _PASSED_TO.get((ask.prefix, operation), f"{ask.prefix}.amazonaws.com")
    for arn in dict.fromkeys(_roles_in(ask.params)):
        yield from _pass(arn, service)
    if ask.prefix in {"ec2", "autoscaling"} and operation in {
        "RunInstances",
        "AssociateIamInstanceProfile",
        "ReplaceIamInstanceProfileAssociation",
    }:
        for arn in dict.fromkeys(_roles_of_profiles(ask)):
            yield from _pass(arn, "ec2.amazonaws.com")


def _pass(arn: str, service: str) -> Iterator[Access]:
    if arn:
        keys = {"iam:passedtoservice": (service,)}
        yield Access(action="iam:PassRole", resource=arn, keys=keys, tags_requested=False)


def _roles_in(value: Any, name: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for inner_name, inner in value.items():  # pyright: ignore[reportUnknownVariableType]
            yield from _roles_in(inner, str(inner_name).lower())  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(value, list):
        for inner in value:  # pyright: ignore[reportUnknownVariableType]
            yield from _roles_in(inner, name)
    elif isinstance(value, str) and name not in _PRINCIPALS and _ROLE.fullmatch(value):
        yield value


def _role_arn(ask: AuthorizationRequest, name: str) -> str:
    roles: Any = iam_backends[ask.identity.account]["aws"].roles
    return next((role.arn for role in roles.values() if role.name == name), "")


def _roles_of_profiles(ask: AuthorizationRequest) -> Iterator[str]:
    wanted: Any = ask.params.get("IamInstanceProfile") or {}
    profiles: Any = iam_backends[ask.identity.account]["aws"].instance_profiles
    for profile in profiles.values():
        if profile.arn == wanted.get("Arn") or profile.name == wanted.get("Name"):
            yield from (role.arn for role in profile.roles)
