"""Check of trust policies: only callers of one kind under named conditions may assume a role."""

from collections.abc import Iterator, Mapping
from typing import Any

from mlp.recording import ACCOUNT
from tests.contract.iam import as_list
from tests.environments.rules.escalation.world import World

ROOT = f"arn:aws:iam::{ACCOUNT}:root"
# Nodes are instances, and EC2 has no condition that names one's own. A role is given to an instance by `iam:PassRole`.
WITHOUT_CONDITIONS = "ec2.amazonaws.com"


def open_trusts(world: World) -> dict[str, str]:
    """Return the roles with a trust policy that is too wide, each with the problem."""
    return {name: wrong for name, role in world.principals.items() for wrong in _wrong(role.trust)}


def _wrong(trust: Mapping[str, Any]) -> Iterator[str]:
    for statement in trust["Statement"]:
        if statement["Effect"] != "Allow":
            continue
        principal, conditions = statement.get("Principal", "*"), statement.get("Condition", {})
        if not isinstance(principal, dict):
            yield "everybody"
            continue
        keys = {key: values for tests in conditions.values() for key, values in tests.items()}
        for kind, value in principal.items():
            for who in as_list(value):
                yield from _caller(kind, who, keys, conditions)


def _caller(kind: str, who: str, keys: Mapping[str, Any], conditions: Mapping[str, Any]) -> Iterator[str]:
    if "*" in who:
        yield f"everybody of kind {kind}"
    elif kind == "AWS" and who != ROOT:
        yield f"{who}, which is not of this account"
    elif kind == "AWS" and not any(key == "aws:MultiFactorAuthPresent" or "PrincipalTag/" in key for key in keys):
        yield "the whole account, without a second factor or a tag"
    elif kind == "Service" and who != WITHOUT_CONDITIONS and not {"aws:SourceAccount", "aws:SourceArn"} & set(keys):
        yield f"{who} on behalf of any account"
    elif kind == "Federated":
        subjects = [
            subject
            for key, value in conditions.get("StringEquals", {}).items()
            if key.endswith(":sub")
            for subject in as_list(value)
        ]
        if not subjects or any("*" in subject for subject in subjects):
            yield f"whoever {who} signs in"
