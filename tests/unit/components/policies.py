"""Helpers for tests of this folder: readers of policy documents, and the target account."""

import json
from collections.abc import Mapping
from typing import Any

from components.account import Account
from components.iam_documents import Scope

ACCOUNT = Account(id="123456789012", partition="aws", region="us-east-1")
SCOPE = Scope(partition="aws", account_id="123456789012", region="us-east-1")
PREFIX = "ml-platform-test"


def statements(policy: str) -> Mapping[str, Mapping[str, Any]]:
    """Return a policy's statements by Sid."""
    return {statement["Sid"]: statement for statement in json.loads(policy)["Statement"]}


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def given(defaults: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return arguments for a component, with the changes of one test."""
    return {**defaults, **changes}
