"""Typed, pure building blocks of all IAM, key and resource policies: the same input always renders the same JSON.

A statement that allows `*` (as a resource, or inside an action) is rejected unless it carries a reason. Every statement
has a Sid, so reviews and tests can name each exception. Denials may use any wildcard.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Conditions = Mapping[str, Mapping[str, str | Sequence[str]]]
Principals = Mapping[Literal["AWS", "Service", "Federated"], Sequence[str]] | Literal["*"]
Rendered = str | list[str] | dict[str, "Rendered"]

# Characters without white space: per customer managed policy, per trust policy, and for all inline policies of a role.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length
MANAGED_POLICY_LIMIT, TRUST_POLICY_LIMIT, INLINE_POLICIES_LIMIT = 6144, 2048, 10_240

KEY_ITSELF = "*"
KEY_ITSELF_REASON = "in a key policy the resource `*` means the key that the policy is attached to"


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Scope of policy documents as plain strings: one account and region of one partition."""

    partition: str
    account_id: str
    region: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\d{12}", self.account_id):
            raise ValueError(f"account_id must be 12 digits, got {self.account_id!r}")

    @property
    def root(self) -> str:
        return f"arn:{self.partition}:iam::{self.account_id}:root"

    def arn(self, service: str, resource: str) -> str:
        """Return an ARN in this region; for services without regions use `global_arn`."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account_id}:{resource}"

    def global_arn(self, service: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}::{self.account_id}:{resource}"

    def bucket_arn(self, bucket: str, key: str | None = None) -> str:
        return f"arn:{self.partition}:s3:::{bucket}" + (f"/{key}" if key is not None else "")


@dataclass(frozen=True, kw_only=True)
class Statement:
    """Policy statement. `reason` explains why a wildcard cannot be avoided; it is not rendered."""

    sid: str
    actions: Sequence[str]
    resources: Sequence[str] = ()
    not_resources: Sequence[str] = ()
    effect: Literal["Allow", "Deny"] = "Allow"
    principals: Principals | None = None
    conditions: Conditions = field(default_factory=dict[str, Mapping[str, str | Sequence[str]]])
    reason: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9]+", self.sid):
            raise ValueError(f"sid must be letters and digits only, got {self.sid!r}")
        if not self.actions or bool(self.resources) == bool(self.not_resources):
            raise ValueError(f"statement {self.sid}: give actions, and either resources or not_resources")
        if self.effect == "Allow" and self.not_resources:
            raise ValueError(f"statement {self.sid}: not_resources allows what nobody listed, use it to deny only")
        wide = [item for item in self.actions if "*" in item] + [item for item in self.resources if item == "*"]
        if self.effect == "Allow" and wide and not self.reason:
            raise ValueError(f"statement {self.sid} allows {wide[0]!r}: name what is needed, or give `reason`")
        if self.effect == "Allow" and self.principals == "*" and not self.conditions:
            raise ValueError(f"statement {self.sid} allows every principal: add a condition or name the principals")

    def render(self) -> dict[str, Rendered]:
        rendered: dict[str, Rendered] = {"Sid": self.sid, "Effect": self.effect}
        if self.principals is not None:
            rendered["Principal"] = (
                "*" if self.principals == "*" else {kind: _values(ids) for kind, ids in sorted(self.principals.items())}
            )
        rendered["Action"] = _values(self.actions)
        rendered["Resource" if self.resources else "NotResource"] = _values(self.resources or self.not_resources)
        if self.conditions:
            rendered["Condition"] = {
                operator: {key: _values(value) for key, value in sorted(keys.items())}
                for operator, keys in sorted(self.conditions.items())
            }
        return rendered


def _values(values: str | Sequence[str]) -> Rendered:
    """Return the values as AWS returns them: a list of one element becomes the bare element."""
    if isinstance(values, str):
        return values
    ordered = sorted(set(values))
    return ordered[0] if len(ordered) == 1 else list(ordered)


def trust_document(statement: Statement) -> str:
    """Return the trust policy of a role. IAM rejects a `Resource` in it: the resource is always the role itself.

    Raises:
        ValueError: the document exceeds the size limit of IAM.
    """
    rendered = {key: value for key, value in statement.render().items() if key != "Resource"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [rendered]}, separators=(",", ":"))
    if len(text) > TRUST_POLICY_LIMIT:
        raise ValueError(
            f"trust policy {statement.sid} has {len(text)} characters, AWS allows {TRUST_POLICY_LIMIT}: "
            "name fewer callers"
        )
    return text


def document(statements: Iterable[Statement]) -> str:
    """Return a policy document. Its Sids must be unique, because tables of exceptions refer to them.

    Raises:
        ValueError: two statements have the same Sid.
    """
    rendered = [statement.render() for statement in statements]
    sids = [statement["Sid"] for statement in rendered]
    repeated = sorted({str(sid) for sid in sids if sids.count(sid) > 1})
    if repeated:
        raise ValueError(f"policy has more than one statement named {', '.join(repeated)}: give each its own sid")
    return json.dumps({"Version": "2012-10-17", "Statement": rendered}, separators=(",", ":"))


def managed_document(statements: Iterable[Statement]) -> str:
    """Return a document for a customer managed policy.

    Raises:
        ValueError: the document exceeds the size limit of AWS.
    """
    text = document(statements)
    if len(text) > MANAGED_POLICY_LIMIT:
        raise ValueError(f"managed policy has {len(text)} characters, AWS allows {MANAGED_POLICY_LIMIT}: split it")
    return text


def describe_only(sid: str, actions: Sequence[str], reason: str, conditions: Conditions | None = None) -> Statement:
    """Return a statement of read-only calls that AWS authorises only on `*`.

    Raises:
        ValueError: an action is not Describe, List or Get.
    """
    for action in actions:
        verb = action.partition(":")[2]
        if not verb.startswith(("Describe", "List", "Get")):
            raise ValueError(f"statement {sid}: {action!r} is not a describe-type action, scope it to resources")
    return Statement(sid=sid, actions=actions, resources=["*"], conditions=conditions or {}, reason=reason)


def deny_insecure_transport(sid: str, actions: Sequence[str], resources: Sequence[str]) -> Statement:
    return Statement(
        sid=sid,
        effect="Deny",
        principals="*",
        actions=actions,
        resources=resources,
        conditions={"Bool": {"aws:SecureTransport": "false"}},
    )
