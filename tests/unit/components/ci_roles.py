"""The three roles of continuous integration as the program grants them, and IAM's evaluation of them.

Also the section of the stack file that they are made of.
"""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from components.ci.identities import DEPLOY_POLICIES, PREVIEW_POLICIES, PUSH_POLICIES, SHARED_POLICIES
from components.ci.read_access import Reach
from components.ci.spec import IdentitySpec
from components.iam_documents import Statement

from .policies import PREFIX, SCOPE

SECTION: Mapping[str, Any] = {
    "github_repository": "acme/ml-platform",
    "protected_branches": ["main"],
    "oidc_provider": "create",
    "state_bucket": "acme-state",
    "state_key_alias": "alias/acme-state",
}
REACH = Reach(
    scope=SCOPE,
    prefix=PREFIX,
    tags={"environment": "test"},
    state_bucket="acme-state",
    state_key_alias="alias/acme-state",
    vpc_id="vpc-own",
    capacity_reservations=("cr-bought",),
    transit_gateways=("tgw-ours",),
)
PREVIEW = [statement for builders in PREVIEW_POLICIES.values() for build in builders for statement in build(REACH)]
DEPLOY = [
    *(statement for key in SHARED_POLICIES for build in PREVIEW_POLICIES[key] for statement in build(REACH)),
    *(statement for builders in DEPLOY_POLICIES.values() for build in builders for statement in build(REACH)),
]
PUSH = [statement for builders in PUSH_POLICIES.values() for build in builders for statement in build(REACH)]


def identity_spec(**changes: object) -> IdentitySpec:
    """Return the section of the stack file, with the changes of one test."""
    return IdentitySpec.model_validate({**SECTION, **changes})


def applies(statement: Statement, action: str, resource: str, context: Mapping[str, str]) -> bool:
    if not any(fnmatchcase(action, pattern) for pattern in statement.actions):
        return False
    if statement.resources and not any(fnmatchcase(resource, pattern) for pattern in statement.resources):
        return False
    if any(fnmatchcase(resource, pattern) for pattern in statement.not_resources):
        return False
    for operator, keys in statement.conditions.items():
        for key, wanted in keys.items():
            values = [wanted] if isinstance(wanted, str) else wanted
            if operator.endswith("IfExists") and key not in context:
                continue
            if operator in {"ArnLike", "ForAnyValue:StringLike"}:
                met = any(fnmatchcase(context.get(key, ""), value) for value in values)
            elif operator == "StringNotEquals":
                met = context.get(key) not in values
            else:
                known = {"ArnEquals", "Bool", "StringEquals", "ForAnyValue:StringEquals"}
                assert operator.removesuffix("IfExists") in known, operator
                met = context.get(key) in values
            if not met:
                return False
    return True


def may(role: Sequence[Statement], action: str, resource: str, context: Mapping[str, str] | None = None) -> bool:
    """Return IAM's decision: an explicit denial wins, and without an allowing statement nothing is allowed."""
    effects = {
        statement.effect
        for statement in role
        if applies(statement, action, resource, {"aws:RequestedRegion": "us-east-1", **(context or {})})
    }
    return effects == {"Allow"}
