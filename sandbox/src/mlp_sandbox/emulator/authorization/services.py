"""Permissions beyond the general rule: names inside ARNs, URLs and paths, and calls on many resources.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from collections.abc import Iterator
from typing import Any

from moto.autoscaling.models import autoscaling_backends
from moto.iam.models import iam_backends
from moto.secretsmanager.models import secretsmanager_backends

from mlp_sandbox.emulator.authorization.documents import Access
from mlp_sandbox.emulator.authorization.published import generic
from mlp_sandbox.emulator.authorization.request import AuthorizationRequest, having

SERVICE_LINKED_ROLES = {
    "autoscaling.amazonaws.com": "AWSServiceRoleForAutoScaling",
    "eks-nodegroup.amazonaws.com": "AWSServiceRoleForAmazonEKSNodegroup",
    "eks.amazonaws.com": "AWSServiceRoleForAmazonEKS",
    "elasticloadbalancing.amazonaws.com": "AWSServiceRoleForElasticLoadBalancing",
    "rds.amazonaws.com": "AWSServiceRoleForRDS",
    "spot.amazonaws.com": "AWSServiceRoleForEC2Spot",
}
_NEW_SECRET = "??????"


def iam(ask: AuthorizationRequest) -> Iterator[Access]:
    """Yield the permissions of an IAM operation. ARNs contain the path and name; requests carry the name alone."""
    if ask.identity.operation == "CreateServiceLinkedRole":
        service = ask.param("AWSServiceName")
        name = SERVICE_LINKED_ROLES.get(service, "AWSServiceRoleFor*")
        yield Access(action=ask.action, resource=ask.arn(f"role/aws-service-role/{service}/{name}", region=""))
        return
    user = ask.param("UserName")
    if not user and ask.caller.kind == "user":
        user = ask.caller.arn.rpartition("/")[2]
    yield from generic(
        having(
            ask,
            RoleNameWithPath=_with_path(ask, "roles", ask.param("RoleName")),
            UserNameWithPath=_with_path(ask, "users", user),
            GroupNameWithPath=_with_path(ask, "groups", ask.param("GroupName")),
            InstanceProfileNameWithPath=_with_path(ask, "instance_profiles", ask.param("InstanceProfileName")),
            PolicyNameWithPath=_with_path(ask, "", ask.param("PolicyName")),
            OidcProviderName=ask.param("Url").removeprefix("https://"),
        )
    )


def _with_path(ask: AuthorizationRequest, kind: str, name: str) -> str:
    known: dict[str, Any] = getattr(iam_backends[ask.identity.account]["aws"], kind, {}) if kind else {}
    thing = next((item for item in known.values() if item.name == name), None) if name else None
    path = str(thing.path) if thing is not None else ask.param("Path")
    return f"{path.strip('/')}/{name}".lstrip("/") if name else ""


def sts(ask: AuthorizationRequest) -> Iterator[Access]:
    """Yield the permissions of an STS operation. Tags and a source identity need a permission each."""
    if not ask.identity.operation.startswith("AssumeRole"):
        yield from generic(ask)
        return
    role = ask.param("RoleArn")
    yield Access(action=ask.action, resource=role)
    if ask.params.get("Tags"):
        yield Access(action="sts:TagSession", resource=role)
    if ask.param("SourceIdentity"):
        yield Access(action="sts:SetSourceIdentity", resource=role)


def secretsmanager(ask: AuthorizationRequest) -> Iterator[Access]:
    """Yield the permissions of a Secrets Manager operation.

    Requests name a secret by name or by whole or partial ARN. Policies are evaluated on the whole ARN.
    """
    if ask.identity.operation == "CreateSecret":
        yield Access(action=ask.action, resource=ask.arn(f"secret:{ask.param('Name')}-{_NEW_SECRET}"))
        return
    if ask.identity.operation == "BatchGetSecretValue":
        yield Access(action=ask.action)
        for name in ask.values("SecretIdList"):
            yield Access(action="secretsmanager:GetSecretValue", resource=secret_arn(ask, name))
        return
    name = ask.param("SecretId")
    if not name:
        yield from generic(ask)
        return
    yield Access(action=ask.action, resource=secret_arn(ask, name))


def secret_arn(ask: AuthorizationRequest, name: str) -> str:
    """Return the ARN of a secret, or the ARN pattern that it would match."""
    found = secretsmanager_backends[ask.identity.account][ask.identity.region].secrets.get(name)
    if found is not None:
        return str(found.arn)
    return name if name.startswith("arn:") else ask.arn(f"secret:{name}-{_NEW_SECRET}")


def dynamodb(ask: AuthorizationRequest) -> Iterator[Access]:
    """Yield the permissions of a DynamoDB operation.

    Batch calls and transactions need one for each table. A query or scan of an index is evaluated on the index.
    """
    table_of = ask.arn("table/")
    if ask.identity.operation in {"BatchGetItem", "BatchWriteItem"}:
        for table in ask.params.get("RequestItems") or {}:
            yield Access(action=ask.action, resource=table if table.startswith("arn:") else table_of + table)
    elif ask.identity.operation in {"TransactGetItems", "TransactWriteItems"}:
        for item in ask.params.get("TransactItems") or []:
            for verb, inner in item.items():
                table = inner["TableName"]
                yield Access(action=f"dynamodb:{verb}Item", resource=table_of + table)
    elif ask.identity.operation in {"Query", "Scan"} and ask.param("IndexName"):
        yield Access(action=ask.action, resource=f"{table_of}{ask.param('TableName')}/index/{ask.param('IndexName')}")
    else:
        yield from generic(ask)


def logs(ask: AuthorizationRequest) -> Iterator[Access]:
    """Yield the permissions of a CloudWatch Logs operation.

    CloudWatch Logs evaluates groups and streams alike as `log-group:<group>:log-stream:<stream>`.
    """
    operation = ask.identity.operation
    arn = next((value for value in ask.arns if ":log-group:" in value), "")
    named = ask.param("logGroupName") or ask.param("logGroupIdentifier")
    if operation in {"TagResource", "UntagResource", "ListTagsForResource"}:
        yield Access(action=ask.action, resource=arn.removesuffix(":*") or "*")
        return
    group = arn.partition(":log-group:")[2].removesuffix(":*") or named
    if group or operation == "DescribeLogGroups":
        stream = ask.param("logStreamName")
        yield Access(action=ask.action, resource=ask.arn(f"log-group:{group}:log-stream:{stream}"))
    else:
        yield from generic(ask)


def autoscaling(ask: AuthorizationRequest) -> Iterator[Access]:
    """Yield the permissions of an Auto Scaling operation.

    The ARN of a group contains an identifier that requests do not carry. Tag calls name groups as their resource.
    """
    groups: Any = autoscaling_backends[ask.identity.account][ask.identity.region].autoscaling_groups
    names = ask.values("AutoScalingGroupName")
    if ask.identity.operation in {"CreateOrUpdateTags", "DeleteTags"}:
        names = sorted({str(tag["ResourceId"]) for tag in ask.params.get("Tags") or []})
    if ask.identity.operation == "TerminateInstanceInAutoScalingGroup":
        wanted = ask.param("InstanceId")
        names = [
            name
            for name, group in groups.items()
            if any(state.instance.id == wanted for state in group.instance_states)
        ]
    if not names or ask.identity.operation.startswith("Describe"):
        yield from generic(ask)
        return
    for name in names:
        unknown = ask.arn(f"autoScalingGroup:*:autoScalingGroupName/{name}")
        yield Access(action=ask.action, resource=groups[name].arn if name in groups else unknown)


def sns(ask: AuthorizationRequest) -> Iterator[Access]:
    """Yield the permissions of an SNS operation. A subscription's ARN begins with that of its topic."""
    subscription = ask.param("SubscriptionArn")
    yield from generic(having(ask, TopicArn=subscription.rpartition(":")[0]) if subscription else ask)


def sqs(ask: AuthorizationRequest) -> Iterator[Access]:
    """Yield the permissions of an SQS operation. The last part of a queue's URL is its name."""
    yield from generic(having(ask, QueueName=ask.param("QueueUrl").rpartition("/")[2] or ask.param("QueueName")))


def ssm(ask: AuthorizationRequest) -> Iterator[Access]:
    """Yield the permissions of an SSM operation. Parameters are evaluated without the leading slash of their names."""
    if "Parameter" not in ask.identity.operation:
        yield from generic(ask)
        return
    names = ask.values("Names") or ask.values("Name") or ask.values("Path")
    if not names or ask.identity.operation == "DescribeParameters":
        yield from generic(ask)
    for name in names:
        yield Access(action=ask.action, resource=ask.arn(f"parameter/{name.lstrip('/')}"))


def rds(ask: AuthorizationRequest) -> Iterator[Access]:
    """Yield the permissions of an RDS operation.

    A new instance uses the default option group unless the request names one. RDS can store the password in Secrets
    Manager on the caller's behalf.
    """
    yield from generic(ask)
    if ask.identity.operation == "CreateDBInstance" and not ask.param("OptionGroupName"):
        engine, version = ask.param("Engine"), ask.param("EngineVersion").split(".")[0]
        yield Access(action=ask.action, resource=ask.arn(f"og:default:{engine}-{version or '*'}"))
    if ask.param("ManageMasterUserPassword") == "true":
        for action in ("secretsmanager:CreateSecret", "secretsmanager:TagResource"):
            kind = "cluster" if "Cluster" in ask.identity.operation else "db"
            yield Access(action=action, resource=ask.arn(f"secret:rds!{kind}-*", service="secretsmanager"))


def lambda_(ask: AuthorizationRequest) -> Iterator[Access]:
    """Yield the permissions of a Lambda operation. A function is named by name, by ARN, or by `account:name`."""
    name = ask.param("FunctionName")
    yield from generic(having(ask, FunctionName=name.rpartition(":")[2]) if name.count(":") in {1, 2} else ask)
