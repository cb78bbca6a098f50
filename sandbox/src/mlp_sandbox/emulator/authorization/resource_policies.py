"""Policies attached to resources: buckets, secrets, keys, topics, queues, repositories, roles."""

from collections.abc import Callable, Mapping
from typing import Any

from moto.ecr.models import ecr_backends
from moto.kms.models import kms_backends
from moto.s3.models import FakeBucket, s3_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from mlp_sandbox.emulator import propagation
from mlp_sandbox.emulator.authorization.conditions import Lookup
from mlp_sandbox.emulator.authorization.documents import Access, Document, MalformedPolicyError, parse
from mlp_sandbox.emulator.authorization.evaluation import Caller, ResourcePolicy
from mlp_sandbox.emulator.authorization.held import held_by
from mlp_sandbox.emulator.authorization.sessions import role_by_arn
from mlp_sandbox.emulator.propagation import BUCKETS

TRUST_ACTIONS = frozenset(
    {
        "sts:AssumeRole",
        "sts:AssumeRoleWithSAML",
        "sts:AssumeRoleWithWebIdentity",
        "sts:TagSession",
        "sts:SetSourceIdentity",
    }
)
PREFIXES = frozenset({"s3", "secretsmanager", "kms", "sns", "sqs", "ecr", "sts"})
"""Prefixes of the services that have resources with policies."""

ESCAPES = frozenset(
    {
        ("s3", "GetBucketPolicy"),
        ("s3", "PutBucketPolicy"),
        ("s3", "DeleteBucketPolicy"),
        ("kms", "GetKeyPolicy"),
        ("kms", "PutKeyPolicy"),
        ("secretsmanager", "GetResourcePolicy"),
        ("secretsmanager", "PutResourcePolicy"),
        ("secretsmanager", "DeleteResourcePolicy"),
        ("sns", "GetTopicAttributes"),
        ("sns", "SetTopicAttributes"),
        ("sqs", "GetQueueAttributes"),
        ("sqs", "SetQueueAttributes"),
        ("ecr", "GetRepositoryPolicy"),
        ("ecr", "SetRepositoryPolicy"),
        ("ecr", "DeleteRepositoryPolicy"),
    }
)
"""Operations that the account itself may always call, so that no policy locks its owner out."""


def policy_of(caller: Caller, access: Access, lookup: Lookup, account: str) -> ResourcePolicy | None:
    """Return the policy of a permission's resource; None when its kind has no policies or it does not exist."""
    if access.action in TRUST_ACTIONS:
        role = role_by_arn(access.resource)
        if role is None:
            return None
        return ResourcePolicy(document=_read(held_by(role).trust), account=role.account_id, sovereign=True)
    parts = access.resource.split(":", 5)
    if len(parts) != 6:
        return None
    try:
        return _of_resource(caller, access, lookup, account, parts)
    except KeyError:
        return None  # a region or account that does not exist


def _of_resource(
    caller: Caller, access: Access, lookup: Lookup, account: str, parts: list[str]
) -> ResourcePolicy | None:
    if parts[2] == "s3":
        bucket = bucket_named(parts[5].partition("/")[0], account)
        if bucket is None:
            return None
        text = propagation.effective(BUCKETS, bucket.name, bucket.policy)
        return ResourcePolicy(document=_read(text), account=bucket.account_id)
    if parts[2] == "kms":
        return _of_key(caller, access, lookup, parts)
    look = _TEXTS.get(parts[2])
    text = look(parts[4], parts[3], access.resource, parts[5]) if look is not None else None
    return ResourcePolicy(document=_read(text), account=parts[4]) if text else None


def bucket_policies() -> dict[str, Any]:
    """Return all buckets with their policies; None for a bucket without one."""
    accounts = list(s3_backends.values())
    return {str(bucket.name): bucket.policy for held in accounts for bucket in held["aws"].buckets.values()}


def bucket_named(name: str, account: str) -> FakeBucket | None:
    """Return a bucket, the account's own first. Names are unique across all accounts."""
    own: Any = s3_backends[account]["aws"].buckets.get(name)
    if own is not None:
        return own
    return next((held["aws"].buckets[name] for held in list(s3_backends.values()) if name in held["aws"].buckets), None)


def _of_key(caller: Caller, access: Access, lookup: Lookup, parts: list[str]) -> ResourcePolicy | None:
    key: Any = kms_backends[parts[4]][parts[3]].keys.get(parts[5].removeprefix("key/"))
    if key is None:
        return None
    granted = any(_grants(grant, caller, access, lookup) for grant in key.grants.values())
    return ResourcePolicy(document=_read(key.policy), account=parts[4], sovereign=True, granted=granted)


def _grants(grant: Any, caller: Caller, access: Access, lookup: Lookup) -> bool:
    """Return whether a grant allows the permission.

    https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
    """
    if grant.grantee_principal not in {caller.arn, caller.role_arn}:
        return False
    if access.action.removeprefix("kms:") not in grant.operations:
        return False
    constraints: dict[str, dict[str, str]] = grant.constraints or {}
    for kind, wanted in constraints.items():
        sent = [list(lookup(f"kms:encryptioncontext:{name.lower()}") or ()) for name in wanted]
        if sent != [[value] for value in wanted.values()]:
            return False
        keys = lookup("kms:encryptioncontextkeys") or ()
        if kind == "EncryptionContextEquals" and len(keys) != len(wanted):
            return False
    return True


def _read(text: Any) -> Document | None:
    if not text:
        return None
    try:
        return parse(text.decode() if isinstance(text, bytes) else str(text))
    except MalformedPolicyError:
        return None


def _secret(account: str, region: str, arn: str, _name: str) -> str | None:
    secret: Any = secretsmanager_backends[account][region].secrets.get(arn)
    return getattr(secret, "policy", None)


def _topic(account: str, region: str, arn: str, _name: str) -> str | None:
    topic: Any = sns_backends[account][region].topics.get(arn)
    return None if topic is None else topic.policy


def _queue(account: str, region: str, _arn: str, name: str) -> str | None:
    queue: Any = sqs_backends[account][region].queues.get(name)
    return None if queue is None else queue.policy


def _repository(account: str, region: str, _arn: str, name: str) -> str | None:
    repository: Any = ecr_backends[account][region].repositories.get(name.removeprefix("repository/"))
    return None if repository is None else repository.policy


_TEXTS: Mapping[str, Callable[[str, str, str, str], str | None]] = {
    "ecr": _repository,
    "secretsmanager": _secret,
    "sns": _topic,
    "sqs": _queue,
}
