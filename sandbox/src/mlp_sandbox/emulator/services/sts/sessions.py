"""STS: the data that role sessions begin with and moto drops: tags, session policies, source identity."""

from typing import Any

from mlp_sandbox.emulator.authorization.callers import session_of
from mlp_sandbox.emulator.authorization.held import managed_policy_text
from mlp_sandbox.emulator.authorization.sessions import SessionDetails, details_of, remember, role_by_arn
from mlp_sandbox.emulator.authorization.tagging import plain
from mlp_sandbox.emulator.authorization.web_identity import claims_of, federated_keys, issuer_of
from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.services.registry import Call, Result, extends

CHAINED_SECONDS = 3600
"""Longest role-chained session: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html."""


@extends("sts", "AssumeRole")
def assume_role(call: Call) -> Result:
    """Assume a role and store tags, policies and source identity. A session passes its transitive tags on."""
    former = session_of(call.identity.account, call.identity.access_key)
    inherited = details_of(former) if former is not None else None
    _check_duration(call, chained=former is not None)
    policies = _session_policies(call)
    tags = plain(call.params.get("Tags"))
    transitive = {str(key) for key in call.params.get("TransitiveTagKeys") or []}
    source = str(call.params.get("SourceIdentity") or "")
    if inherited is not None:
        passed = {key: value for key, value in inherited.tags.items() if key in inherited.transitive}
        overwritten = sorted(passed.keys() & tags.keys())
        if overwritten:
            raise Fault(
                "InvalidParameterValue",
                f"One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key "
                f"from the calling session: {', '.join(overwritten)}",
            )
        tags, transitive = {**tags, **passed}, transitive | inherited.transitive
        source = source or inherited.source_identity
    result = call.proceed()
    _remember(call, result, tags=tags, transitive=frozenset(transitive), policies=policies, source=source)
    if source:
        result["SourceIdentity"] = source
    return result


@extends("sts", "AssumeRoleWithWebIdentity")
def assume_role_with_web_identity(call: Call) -> Result:
    """Assume a role and store the token's claims, for conditions of later requests."""
    _check_duration(call, chained=False)
    policies = _session_policies(call)
    claims = claims_of(call.params["WebIdentityToken"])
    result = call.proceed()
    account = str(result["AssumedRoleUser"]["Arn"]).split(":")[4]
    provider = f"arn:aws:iam::{account}:oidc-provider/{issuer_of(claims)}"
    keys = {name.lower(): tuple(values) for name, values in federated_keys(claims).items()}
    keys["aws:federatedprovider"] = (provider,)
    _remember(call, result, policies=policies, keys=keys)
    role = role_by_arn(call.params["RoleArn"])
    audience = claims.get("aud", "")
    result["AssumedRoleUser"]["AssumedRoleId"] = f"{role.id}:{call.params['RoleSessionName']}"
    result["SubjectFromWebIdentityToken"] = str(claims.get("sub", ""))
    result["Audience"] = str(audience[0] if isinstance(audience, list) else audience)
    result["Provider"] = provider
    return result


def _remember(
    call: Call,
    result: Result,
    *,
    tags: dict[str, str] | None = None,
    transitive: frozenset[str] = frozenset(),
    policies: list[str] | None = None,
    source: str = "",
    keys: dict[str, tuple[str, ...]] | None = None,
) -> None:
    account = str(result["AssumedRoleUser"]["Arn"]).split(":")[4]
    session = session_of(account, result["Credentials"]["AccessKeyId"])
    role = role_by_arn(call.params["RoleArn"])
    if session is not None:
        details = SessionDetails(
            role_id=role.id if role is not None else "",
            tags=tags or {},
            transitive=transitive,
            policies=policies,
            source_identity=source,
            keys=keys or {},
        )
        remember(session, details)


def _session_policies(call: Call) -> list[str] | None:
    account = str(call.params["RoleArn"]).split(":")[4]
    found: list[str] = [call.params["Policy"]] if call.params.get("Policy") else []
    for entry in call.params.get("PolicyArns") or []:
        text = managed_policy_text(account, entry["arn"])
        if text is None:
            raise Fault("MalformedPolicyDocument", f"The session policy {entry['arn']} does not exist")
        found.append(text)
    return found or None


def _check_duration(call: Call, *, chained: bool) -> None:
    role: Any = role_by_arn(call.params["RoleArn"])
    sent = call.params.get("DurationSeconds")
    if sent is None or role is None:
        return
    longest = int(role.max_session_duration or CHAINED_SECONDS)
    if chained and int(sent) > CHAINED_SECONDS:
        raise Fault(
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        )
    if int(sent) > longest:
        raise Fault(
            "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        )
