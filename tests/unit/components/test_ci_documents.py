"""The policy documents of all CI roles: no wildcards, a reason for each open resource, and actions that AWS has."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import botocore.session
import pytest

from components.iam_documents import Statement

from .ci_roles import DEPLOY, PREVIEW, PUSH

PERMISSIONS_THAT_ARE_NOT_OPERATIONS = {"budgets:ModifyBudget", "budgets:ViewBudget"}


@pytest.mark.parametrize("role", [PREVIEW, DEPLOY, PUSH], ids=["preview", "deploy", "push"])
def test_no_action_has_a_wildcard_and_every_open_resource_has_its_reason(role: Sequence[Statement]):
    for statement in role:
        assert not any("*" in action for action in statement.actions), statement.sid
        if statement.effect == "Allow" and "*" in statement.resources:
            assert statement.reason, statement.sid
            assert statement.conditions or statement.sid == "ListWithoutResources", statement.sid


@cache
def operations(service: str) -> frozenset[str]:
    model: Any = botocore.session.get_session().get_service_model(service)
    return frozenset(model.operation_names)


@pytest.mark.parametrize("role", [PREVIEW, DEPLOY, PUSH], ids=["preview", "deploy", "push"])
def test_every_action_is_an_operation_that_aws_has(role: Sequence[Statement]):
    """S3's permissions have their own names; elsewhere a permission has the name of its operation."""
    unknown = {
        action
        for statement in role
        for action in statement.actions
        if (service := action.partition(":")[0]) != "s3"
        and action not in PERMISSIONS_THAT_ARE_NOT_OPERATIONS
        and action.partition(":")[2] not in operations(service)
        and action != "iam:PassRole"
    }
    assert unknown == set()
