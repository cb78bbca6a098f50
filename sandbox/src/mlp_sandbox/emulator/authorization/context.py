"""The context of a request: keys that conditions and variables of policies refer to, computed on demand.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.sts.models import AssumedRole

from mlp_sandbox.emulator.authorization import tagging
from mlp_sandbox.emulator.authorization.callers import session_of, user_or_role_tags
from mlp_sandbox.emulator.authorization.documents import Access
from mlp_sandbox.emulator.authorization.ec2 import vpc_of
from mlp_sandbox.emulator.authorization.facts import offers
from mlp_sandbox.emulator.authorization.request import AuthorizationRequest
from mlp_sandbox.emulator.authorization.resource_policies import bucket_named
from mlp_sandbox.emulator.authorization.sessions import details_of, role_by_arn

Values: TypeAlias = Sequence[str] | None

# Query arguments and headers that S3 offers to conditions under the same name.
_S3_QUERY = ("prefix", "delimiter", "max-keys", "versionid")
_USERS = frozenset({"user", "administrator"})
_TYPES = {"administrator": "User", "session": "AssumedRole", "user": "User", "anonymous": "Anonymous"}


class Context:
    """A lookup of context keys for one permission of a request. Call it with the key's name in lower case."""

    def __init__(self, ask: AuthorizationRequest, access: Access) -> None:
        self._ask, self._access = ask, access
        self._known: dict[str, Values] = {}

    def __call__(self, key: str) -> Values:
        if key in self._access.keys:
            return self._access.keys[key]
        if key not in self._known:
            self._known[key] = self._find(key)
        return self._known[key]

    def _find(self, key: str) -> Values:
        prefix, _, name = key.partition(":")
        if key in _GLOBAL:
            return _GLOBAL[key](self._ask, self._access)
        if name.startswith("resourcetag/") or key.startswith("iam:resourcetag/"):
            return _tag(tagging.of_resource(self._access.resource), name.partition("/")[2])
        if key.startswith("aws:requesttag/") or name.startswith("requesttag/") or key.startswith("s3:requestobjecttag"):
            tags = tagging.requested(self._ask, self._access.resource) if self._access.tags_requested else {}
            return _tag(tags, name.partition("/")[2])
        if key.startswith("aws:principaltag/"):
            return _tag(principal_tags(self._ask), name.partition("/")[2])
        session = _session(self._ask)
        if session is not None:
            held = details_of(session).keys.get(key)
            if held is not None:
                return held
        special = _SPECIAL.get(key)
        if special is not None:
            return special(self._ask, self._access)
        if prefix == "s3":
            return _s3(self._ask, name)
        if key.startswith("kms:encryptioncontext:"):
            return _tag(_encryption_context(self._ask), name.partition(":")[2])
        # Services name many of their keys after the parameter that the key reads.
        return (self._ask.values(name) or None) if prefix == self._ask.prefix and name.isalnum() else None


def principal_tags(ask: AuthorizationRequest) -> Mapping[str, str]:
    """Return the caller's tags: those of the role or user, overridden by those of the session."""
    session = _session(ask)
    held = user_or_role_tags(ask.caller)
    own = tagging.plain(held)
    return {**own, **details_of(session).tags} if session is not None else own


def _session(ask: AuthorizationRequest) -> AssumedRole | None:
    return session_of(ask.identity.account, ask.identity.access_key) if ask.caller.kind == "session" else None


def _tag(tags: Mapping[str, str], name: str) -> Values:
    """Return the value of a tag. Tag names match in any case, like the names of keys."""
    return next(([value] for key, value in tags.items() if key.lower() == name), None)


def _secure(ask: AuthorizationRequest, _access: Access) -> Values:
    # The emulator takes the place of AWS's https endpoint. A request that came over http carries a header for it.
    return ["false" if ask.request.header("x-forwarded-proto").lower() == "http" else "true"]


def _resource_account(ask: AuthorizationRequest, access: Access) -> Values:
    parts = access.resource.split(":", 5)
    if len(parts) == 6 and parts[2] == "s3":
        bucket = bucket_named(parts[5].partition("/")[0], ask.identity.account)
        return [bucket.account_id if bucket is not None else ask.identity.account]
    return [parts[4] if len(parts) == 6 and parts[4] else ask.identity.account]


def _principal_arn(ask: AuthorizationRequest, _access: Access) -> Values:
    """Return the caller's ARN; for a session, the ARN of its role."""
    return [ask.caller.role_arn or ask.caller.arn]


def _user_id(ask: AuthorizationRequest, _access: Access) -> Values:
    return None if ask.caller.kind == "anonymous" else [ask.caller.user_id or ask.caller.account]


def _issued(ask: AuthorizationRequest, _access: Access) -> Values:
    session = _session(ask)
    return None if session is None else [details_of(session).issued.strftime("%Y-%m-%dT%H:%M:%SZ")]


def _source_identity(ask: AuthorizationRequest, _access: Access) -> Values:
    session = _session(ask)
    held = details_of(session).source_identity if session is not None else ""
    return [held] if held else None


def _second_factor(ask: AuthorizationRequest, _access: Access) -> Values:
    """Return true when a user names its own MFA device and a code. With long-term keys alone, the key is absent."""
    if ask.caller.kind != "user" or not re.fullmatch(r"\d{6}", ask.param("TokenCode")):
        return None
    users: Any = iam_backends[ask.identity.account]["aws"].users
    user = users.get(ask.caller.arn.rpartition("/")[2])
    return ["true"] if user is not None and ask.param("SerialNumber") in user.mfa_devices else None


def _tag_keys(ask: AuthorizationRequest, access: Access) -> Values:
    return list(tagging.tag_keys(ask, access.resource)) or None if access.tags_requested else None


def _known_caller(make: Callable[[AuthorizationRequest], str]) -> Callable[[AuthorizationRequest, Access], Values]:
    def value(ask: AuthorizationRequest, _access: Access) -> Values:
        return None if ask.caller.kind == "anonymous" else [make(ask)]

    return value


def _header(name: str) -> Callable[[AuthorizationRequest, Access], Values]:
    def value(ask: AuthorizationRequest, _access: Access) -> Values:
        return [ask.request.header(name)] if ask.request.header(name) else None

    return value


def _fixed(*values: str) -> Callable[[AuthorizationRequest, Access], Values]:
    def value(_ask: AuthorizationRequest, _access: Access) -> Values:
        return values

    return value


_GLOBAL: Mapping[str, Callable[[AuthorizationRequest, Access], Values]] = {
    "aws:currenttime": lambda _ask, _access: [datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")],
    "aws:epochtime": lambda _ask, _access: [str(int(time.time()))],
    "aws:multifactorauthpresent": _second_factor,
    "aws:principalaccount": _known_caller(lambda ask: ask.caller.account),
    "aws:principalarn": _principal_arn,
    "aws:principalisawsservice": _fixed("false"),
    "aws:principaltype": _known_caller(lambda ask: _TYPES.get(ask.caller.kind, ask.caller.kind)),
    "aws:referer": _header("referer"),
    "aws:requestedregion": lambda ask, _access: [ask.identity.region],
    "aws:resourceaccount": _resource_account,
    "aws:securetransport": _secure,
    "aws:sourceidentity": _source_identity,
    "aws:sourceip": lambda ask, _access: [
        ask.request.header("x-forwarded-for", "127.0.0.1").split(",")[0].strip() or "127.0.0.1"
    ],
    "aws:tagkeys": _tag_keys,
    "aws:tokenissuetime": _issued,
    "aws:useragent": _header("user-agent"),
    "aws:userid": _user_id,
    "aws:username": lambda ask, _access: [ask.caller.arn.rpartition("/")[2]] if ask.caller.kind in _USERS else None,
    "aws:viaawsservice": _fixed("false"),
    "s3:resourceaccount": _resource_account,
    "s3:tlsversion": _fixed("1.3"),
    "kms:calleraccount": _known_caller(lambda ask: ask.caller.account),
}


def _s3(ask: AuthorizationRequest, name: str) -> Values:
    if name == "authtype":
        return ["REST-HEADER" if ask.request.header("authorization") else "REST-QUERY-STRING"]
    if name.startswith("existingobjecttag/"):
        return _tag(tagging.of_object(ask), name.partition("/")[2])
    if name in _S3_QUERY:
        return next((values for key, values in ask.request.query.items() if key.lower() == name), None)
    return [ask.request.header(name)] if name.startswith("x-amz-") and ask.request.header(name) else None


def _encryption_context(ask: AuthorizationRequest) -> Mapping[str, str]:
    return ask.params.get("EncryptionContext") or {} if ask.prefix == "kms" else {}


def _key_of(access: Access) -> Any:
    parts = access.resource.split(":", 5)
    if len(parts) != 6 or parts[2] != "kms":
        return None
    return kms_backends[parts[4]][parts[3]].keys.get(parts[5].removeprefix("key/"))


def _aliases(_ask: AuthorizationRequest, access: Access) -> Values:
    key = _key_of(access)
    return list(key.aliases) if key is not None and key.aliases else None


def _request_alias(ask: AuthorizationRequest, _access: Access) -> Values:
    name = ask.param("KeyId").rpartition(":")[2]
    return [name] if name.startswith("alias/") else None


def _boundary(ask: AuthorizationRequest, access: Access) -> Values:
    if not offers(access.action, "iam:PermissionsBoundary"):
        return None
    sent = ask.param("PermissionsBoundary")
    if sent:
        return [sent]
    role = role_by_arn(access.resource)
    return [role.permissions_boundary_arn] if role is not None and role.permissions_boundary_arn else None


def _vpc(_ask: AuthorizationRequest, access: Access) -> Values:
    found = vpc_of(access.resource)
    return [found] if found else None


def _associated(ask: AuthorizationRequest, _access: Access) -> Values:
    return [ask.param("PolicyArn")] if ask.param("PolicyArn") else None


_SPECIAL: Mapping[str, Callable[[AuthorizationRequest, Access], Values]] = {
    "iam:permissionsboundary": _boundary,
    "iam:policyarn": _associated,
    "kms:encryptioncontextkeys": lambda ask, _access: list(_encryption_context(ask)) or None,
    "kms:requestalias": _request_alias,
    "kms:resourcealiases": _aliases,
    "kms:keyspec": lambda ask, access: [key.key_spec] if (key := _key_of(access)) else ask.values("KeySpec") or None,
    "kms:keyusage": lambda ask, access: [key.key_usage] if (key := _key_of(access)) else ask.values("KeyUsage") or None,
    "kms:grantoperations": lambda ask, _access: ask.values("Operations") or None,
    "ec2:vpc": _vpc,
    "ec2:region": lambda ask, _access: [ask.identity.region],
    "sts:rolesessionname": lambda ask, _access: [ask.param("RoleSessionName")],
    "sts:externalid": lambda ask, _access: [ask.param("ExternalId")] if ask.param("ExternalId") else None,
    "sts:sourceidentity": lambda ask, _access: [ask.param("SourceIdentity")] if ask.param("SourceIdentity") else None,
    "sts:transitivetagkeys": lambda ask, _access: ask.values("TransitiveTagKeys") or None,
}
