"""IAM: policies keep the identifier of a deleted role or user, so that a later one of that name inherits nothing.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-roles
"""

from typing import Any

from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.s3.models import s3_backends
from moto.secretsmanager.models import secretsmanager_backends

from mlp_sandbox.emulator.named_principals import unique_id, without
from mlp_sandbox.emulator.services.registry import Call, Result, extends


@extends("iam", "DeleteRole")
def delete_role(call: Call) -> Result:
    """Delete a role. In every policy that names it, replace its ARN by its identifier."""
    return _delete(call, iam_backends[call.identity.account]["aws"].roles.values(), "RoleName")


@extends("iam", "DeleteUser")
def delete_user(call: Call) -> Result:
    """Delete a user. In every policy that names it, replace its ARN by its identifier."""
    return _delete(call, iam_backends[call.identity.account]["aws"].users.values(), "UserName")


def _delete(call: Call, known: Any, parameter: str) -> Result:
    arn = next((str(each.arn) for each in known if each.name == call.params[parameter]), "")
    unique = unique_id(arn)
    result = call.proceed()
    if unique:
        _forget(call.identity.account, arn, unique)
    return result


def _forget(account: str, arn: str, unique: str) -> None:
    roles: Any = iam_backends[account]["aws"].roles
    for role in roles.values():
        role.assume_role_policy_document = without(role.assume_role_policy_document or "", arn, unique)
    buckets: Any = s3_backends[account]["aws"].buckets
    for bucket in buckets.values():
        if bucket.policy:
            text = bucket.policy.decode() if isinstance(bucket.policy, bytes) else bucket.policy
            changed = without(text, arn, unique)
            if changed != text:
                bucket.policy = changed.encode() if isinstance(bucket.policy, bytes) else changed
    keys_by_region: Any = kms_backends[account]
    for backend in list(keys_by_region.values()):
        for key in backend.keys.values():
            key.policy = without(key.policy or "", arn, unique)
    secrets_by_region: Any = secretsmanager_backends[account]
    for backend in list(secrets_by_region.values()):
        for secret in backend.secrets.values():
            if getattr(secret, "policy", None):
                secret.policy = without(secret.policy, arn, unique)
