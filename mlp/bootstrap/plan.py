"""Plan of `mlp bootstrap`: required resources of an AWS account, their current state, and the steps to create them.

Pure.

The names come from the settings, because the permissions of the CI roles are limited to these names: the bucket of the
state, and the key that encrypts both the bucket and the secrets inside the state.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode

from components.buckets.documents import data_bucket_policy
from components.ci.github import STS_AUDIENCE, github_provider_arn
from components.iam_documents import Scope
from mlp.console import PlainError
from stacks.settings import PlatformSettings

Status = Literal["exists", "create", "change", "not needed"]


class BootstrapError(PlainError):
    """Error: the account cannot be prepared. The message contains the reason and the fix."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """Required resources of an environment in one account, from the settings."""

    environment: str
    scope: Scope
    bucket: str
    key_alias: str
    provider_needed: bool
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class KeyState:
    """State of the key behind the alias."""

    arn: str
    state: str
    rotates: bool


@dataclass(frozen=True, kw_only=True)
class BucketState:
    """Bucket settings that the plan checks."""

    region: str
    versioned: bool
    encryption_key: str | None
    bucket_key: bool
    public_access_blocked: bool
    owner_enforced: bool
    policy: str | None
    tags: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, kw_only=True)
class Observed:
    """Current state of the account; None for a resource that does not exist."""

    key: KeyState | None
    bucket: BucketState | None
    provider_audiences: tuple[str, ...] | None


@dataclass(frozen=True, kw_only=True)
class Item:
    """Required resource, its status, and the steps that create or correct it. Steps are names of operations."""

    kind: str
    name: str
    status: Status
    steps: tuple[str, ...] = ()
    note: str = ""


def target_of(settings: PlatformSettings, scope: Scope) -> Target:
    """Return the target. It has no `project` and `environment` tags.

    With these tags the deploy role could change the state's bucket and key.
    """
    return Target(
        environment=settings.environment,
        scope=scope,
        bucket=settings.identities.state_bucket,
        key_alias=settings.identities.state_key_alias,
        provider_needed=settings.identities.oidc_provider == "existing",
        tags={
            "team": settings.tags.team,
            "cost-center": settings.tags.cost_center,
            "owner": settings.tags.owner,
            "managed-by": "mlp-bootstrap",
        },
    )


def plan(target: Target, observed: Observed) -> list[Item]:
    """Return the items in the order of execution: the key first, because it encrypts the bucket."""
    return [_plan_key(target, observed.key), _plan_bucket(target, observed), _plan_provider(target, observed)]


def _plan_key(target: Target, key: KeyState | None) -> Item:
    kind, name = "KMS key", target.key_alias
    if key is None:
        return Item(kind=kind, name=name, status="create", steps=("create the key", "turn rotation on"))
    if key.state != "Enabled":
        mend = "cancel-key-deletion" if key.state == "PendingDeletion" else "enable-key"
        raise BootstrapError(
            f"{name}: the key {key.arn} is {key.state}, and without it no state can be read; if nobody did that on "
            f"purpose: aws kms {mend} --key-id {key.arn} --region {target.scope.region}"
        )
    steps = () if key.rotates else ("turn rotation on",)
    return Item(kind=kind, name=name, status="change" if steps else "exists", steps=steps)


def _plan_bucket(target: Target, observed: Observed) -> Item:
    kind, name = "state bucket", target.bucket
    wanted = {
        "turn versioning on": lambda bucket: bucket.versioned,
        "encrypt with the KMS key": lambda bucket: (
            bucket.bucket_key and observed.key is not None and bucket.encryption_key == observed.key.arn
        ),
        "block public access": lambda bucket: bucket.public_access_blocked,
        "enforce bucket ownership": lambda bucket: bucket.owner_enforced,
        "refuse connections without TLS": lambda bucket: (
            observed.key is not None and policy_holds(bucket.policy, target, observed.key.arn)
        ),
        "tag": lambda bucket: target.tags.items() <= bucket.tags.items(),
    }
    bucket = observed.bucket
    if bucket is None:
        return Item(kind=kind, name=name, status="create", steps=("create the bucket", *wanted))
    if bucket.region != target.scope.region:
        raise BootstrapError(
            f"state_bucket {name!r} is in {bucket.region}, the environment in {target.scope.region}, and a bucket "
            "cannot move; set identities.state_bucket to another name"
        )
    steps = tuple(step for step, fulfilled in wanted.items() if not fulfilled(bucket))
    return Item(kind=kind, name=name, status="change" if steps else "exists", steps=steps)


def _plan_provider(target: Target, observed: Observed) -> Item:
    kind, name = "GitHub OIDC provider", github_provider_arn(target.scope)
    if not target.provider_needed:
        note = f"the stack {target.environment} creates it (identities.oidc_provider: create)"
        return Item(kind=kind, name=name, status="not needed", note=note)
    if observed.provider_audiences is None:
        note = "no stack of this account may say identities.oidc_provider: create"
        return Item(kind=kind, name=name, status="create", steps=("create the provider",), note=note)
    steps = () if STS_AUDIENCE in observed.provider_audiences else (f"accept tokens for {STS_AUDIENCE}",)
    return Item(kind=kind, name=name, status="change" if steps else "exists", steps=steps)


def bucket_policy(current: str | None, target: Target, key_arn: str) -> str:
    """Return the bucket policy: the platform's statements, and existing statements of others."""
    ours: list[dict[str, Any]] = json.loads(data_bucket_policy(target.scope, target.bucket, key_arn))["Statement"]
    own_sids = {statement["Sid"] for statement in ours}
    others = [statement for statement in _statements(current) if statement.get("Sid") not in own_sids]
    return json.dumps({"Version": "2012-10-17", "Statement": [*ours, *others]}, separators=(",", ":"))


def policy_holds(current: str | None, target: Target, key_arn: str) -> bool:
    """Return whether the bucket's policy contains every statement of the platform unchanged, in any order."""
    wanted = _statements(bucket_policy(current, target, key_arn))
    return _canonical(wanted) == _canonical(_statements(current))


def _statements(policy: str | None) -> list[dict[str, Any]]:
    return list(json.loads(policy).get("Statement", [])) if policy else []


def _canonical(statements: Iterable[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(statement, sort_keys=True) for statement in statements)


def next_commands(target: Target, environ: Mapping[str, str]) -> list[str]:
    """Return the commands to run next.

    With a custom endpoint they use path-style bucket addresses, because bucket host names do not resolve there.
    """
    query = {"region": target.scope.region}
    login = dict(query)
    if environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL"):
        login["use_path_style"] = "true"
    return [
        f"pulumi login 's3://{target.bucket}?{urlencode(login)}'",
        f"pulumi stack init {target.environment} --secrets-provider 'awskms://{target.key_alias}?{urlencode(query)}'",
    ]
