"""IAM quotas: the size of policies, the number of attachments, and names that differ only in case.

The numbers are the default quotas where AWS can raise them:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
The messages are IAM's, as quoted in public reports.
"""

from collections.abc import Mapping
from typing import Any

from moto.iam.models import iam_backends

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.quotas.registry import Asked, checks

INLINE = {"role": 10_240, "group": 5_120, "user": 2_048}
"""Characters of all inline policies of one role, group or user together, white space not counted."""

MANAGED = 6_144
"""Characters of one managed policy, white space not counted."""

TRUST = 2_048
"""Characters of a role's trust policy. AWS raises this quota on request, to 8,192 at most."""

ATTACHED = 10
"""Managed policies of one role, group or user. AWS raises it on request, to 25 for roles and 20 for users."""

TAGS = 50


@checks("iam", "PutRolePolicy", "PutGroupPolicy", "PutUserPolicy")
def inline_size(asked: Asked) -> None:
    """Reject an inline policy that makes the policies of the role, group or user too long in total."""
    kind, name, holder = _holder(asked)
    if holder is None:
        return
    policies: Mapping[str, str] = holder.policies
    others = sum(size(text) for key, text in policies.items() if key != asked.params["PolicyName"])
    if others + size(asked.params["PolicyDocument"]) > INLINE[kind]:
        raise _exceeded(f"Maximum policy size of {INLINE[kind]} bytes exceeded for {kind} {name}")


@checks("iam", "CreatePolicy", "CreatePolicyVersion")
def managed_size(asked: Asked) -> None:
    """Reject a managed policy that is too long."""
    if size(asked.params["PolicyDocument"]) > MANAGED:
        raise _exceeded(f"Cannot exceed quota for PolicySize: {MANAGED}")


@checks("iam", "CreateRole", "UpdateAssumeRolePolicy")
def trust_size(asked: Asked) -> None:
    """Reject a trust policy that is too long."""
    document = asked.params.get("AssumeRolePolicyDocument") or asked.params.get("PolicyDocument") or ""
    if size(document) > TRUST:
        raise _exceeded(f"Cannot exceed quota for ACLSizePerRole: {TRUST}")


@checks("iam", "AttachRolePolicy", "AttachGroupPolicy", "AttachUserPolicy")
def attachments(asked: Asked) -> None:
    """Reject an attachment beyond the quota. Attaching a policy again changes nothing."""
    kind, _, holder = _holder(asked)
    attached = holder.managed_policies if holder is not None else {}
    if asked.params["PolicyArn"] not in attached and len(attached) >= ATTACHED:
        raise _exceeded(f"Cannot exceed quota for PoliciesPer{kind.capitalize()}: {ATTACHED}")


@checks("iam", "CreateRole", "CreateUser", "CreateGroup", "CreateInstanceProfile")
def unique_name(asked: Asked) -> None:
    """Reject a name that differs from another name only in case."""
    backend: Any = iam_backends[asked.identity.account]["aws"]
    parameter, known = {
        "CreateRole": ("RoleName", backend.roles),
        "CreateUser": ("UserName", backend.users),
        "CreateGroup": ("GroupName", backend.groups),
        "CreateInstanceProfile": ("InstanceProfileName", backend.instance_profiles),
    }[asked.identity.operation]
    name, kind = str(asked.params[parameter]), parameter.removesuffix("Name")
    if any(str(each.name).lower() == name.lower() for each in known.values()):
        raise Fault("EntityAlreadyExists", f"{kind} with name {name} already exists.", 409)


@checks("iam", "TagRole")
def tag_count(asked: Asked) -> None:
    """Reject more tags than a role may have, its existing tags included."""
    role = _role(asked)
    keys = {str(tag["Key"]).lower() for tag in [*(role.tags if role else []), *asked.params["Tags"]]}
    if len(keys) > TAGS:
        raise _exceeded(f"Cannot exceed quota for TagsPerRole: {TAGS}")


def size(document: str) -> int:
    """Return the number of characters of a policy that IAM counts."""
    return sum(not character.isspace() for character in document)


def _holder(asked: Asked) -> tuple[str, str, Any]:
    """Return kind, name and moto's record of a policy's holder; the record is None when the holder does not exist."""
    backend: Any = iam_backends[asked.identity.account]["aws"]
    params = asked.params
    if "RoleName" in params:
        return "role", params["RoleName"], _role(asked)
    if "GroupName" in params:
        return "group", params["GroupName"], backend.groups.get(params["GroupName"])
    return "user", params["UserName"], backend.users.get(params["UserName"])


def _role(asked: Asked) -> Any:
    roles: Any = iam_backends[asked.identity.account]["aws"].roles
    return next((role for role in roles.values() if role.name == asked.params["RoleName"]), None)


def _exceeded(message: str) -> Fault:
    return Fault("LimitExceeded", message, 409)
