"""Principals of the account that policies name: their existence and their unique identifiers.

IAM stores the unique identifier of a role or user that a policy names, and shows its ARN while it exists. Afterwards
the policy shows the identifier, which matches no principal: a role created again under the same name is a different
role.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from moto.iam.models import iam_backends

from mlp_sandbox.emulator.authorization.conditions import as_list
from mlp_sandbox.emulator.authorization.held import counts
from mlp_sandbox.emulator.authorization.sessions import role_by_arn
from mlp_sandbox.emulator.principals import ADMINISTRATOR, administrator_arn

_ARN = re.compile(r"arn:(?P<partition>aws[\w-]*):iam::(?P<account>\d{12}):(?P<kind>role|user)/(?P<path>.+)")


def unique_id(arn: str) -> str:
    """Return the unique identifier of a role or user; "" when the ARN is of another kind or does not exist."""
    match = _ARN.fullmatch(arn)
    if match is None:
        return ""
    if arn == administrator_arn(match["account"]):
        return ADMINISTRATOR
    if match["kind"] == "role":
        role = role_by_arn(arn)
        return str(role.id) if role is not None else ""
    users: Any = iam_backends[match["account"]]["aws"].users
    return next((str(user.id) for user in users.values() if user.arn == arn), "")


def missing(arn: str, account: str) -> bool:
    """Return whether an ARN names a role or user that this account does not have, or that is too new to be visible.

    Principals of other accounts are not checked.
    """
    match = _ARN.fullmatch(arn)
    if match is None or match["account"] != account or match["path"].startswith("aws-service-role/"):
        return False
    unique = unique_id(arn)
    return not unique or (unique != ADMINISTRATOR and not counts(unique))


def named(document: str) -> Iterator[str]:
    """Yield the AWS principals that a policy document names; none when the text is not a policy."""
    for principal in _principals(document):
        if isinstance(principal, dict):
            yield from as_list(principal.get("AWS", []))


def without(document: str, arn: str, unique: str) -> str:
    """Return the document with a deleted principal's identifier in place of its ARN."""
    if arn not in document or arn not in set(named(document)):
        return document
    content: Any = json.loads(document)
    for statement in _statements(content):
        for element in ("Principal", "NotPrincipal"):
            principal = statement.get(element)
            if isinstance(principal, dict) and "AWS" in principal:
                names = [unique if name == arn else name for name in as_list(principal["AWS"])]
                principal["AWS"] = names if isinstance(principal["AWS"], list) else names[0]
    return json.dumps(content)


def _principals(document: str) -> Iterator[Any]:
    try:
        for statement in _statements(json.loads(document)):
            yield from (statement[name] for name in ("Principal", "NotPrincipal") if name in statement)
    except (ValueError, KeyError, TypeError, AttributeError):
        return


def _statements(content: Any) -> list[Any]:
    found = content["Statement"]
    return found if isinstance(found, list) else [found]
