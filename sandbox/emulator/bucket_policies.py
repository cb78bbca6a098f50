"""S3 bucket policies with their conditions, which moto ignores: there a TLS-only rule would lock out its own owner.

Every S3 request is held against its bucket's policy before moto sees it; an explicit deny answers AccessDenied. The
emulator stands where AWS's https endpoint stands, so a request counts as sent over TLS unless `X-Forwarded-Proto`
says http. As on AWS, the account itself (no assumed role, no user) can always read and replace the policy.
"""

import json
from collections.abc import Iterator
from typing import Any, TypeAlias
from urllib.parse import unquote

from moto.core.request import Request as MotoRequest
from moto.core.routing import get_service_router
from moto.iam.access_control import PermissionResult
from moto.iam.models import iam_backends
from moto.s3.models import FakeBucket, s3_backends
from moto.sts.models import sts_backends

from sandbox.emulator.conditions import arn_matches, as_list, conditions_hold, wildcard
from sandbox.emulator.faults import Fault
from sandbox.emulator.identify import Identity
from sandbox.emulator.messages import Request, environ_for

Context: TypeAlias = dict[str, list[str]]
Access: TypeAlias = tuple[str, str]

# Operations whose permission is not simply named like them.
_ACTIONS = {
    "AbortMultipartUpload": "AbortMultipartUpload",
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteBucketCors": "PutBucketCORS",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeleteObjects": "DeleteObject",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListParts": "ListMultipartUploadParts",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
}
_POLICY_OPERATIONS = frozenset({"GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"})
_NO_POLICY_YET = frozenset({"", "CreateBucket", "ListBuckets"})
# Arguments and headers that AWS offers to conditions under the same name.
_QUERY_KEYS = ("prefix", "delimiter", "max-keys", "versionId")
_HEADER_KEYS = (
    "x-amz-acl",
    "x-amz-copy-source",
    "x-amz-grant-full-control",
    "x-amz-metadata-directive",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-storage-class",
)
_anonymous_context: Context = {}


def refuse_denied(identity: Identity, request: Request) -> None:
    """Raise AccessDenied where the policy of a bucket that the request touches denies it."""
    _anonymous_context.clear()
    if identity.service != "s3" or identity.operation in _NO_POLICY_YET:
        return
    principal = principal_arn(identity)
    context = _context(identity, request, principal)
    _anonymous_context.update(context)
    if identity.operation in _POLICY_OPERATIONS and principal.endswith((":root", ":user/moto")):
        return
    for action, resource in _accesses(identity, request):
        bucket = s3_backends[identity.account]["aws"].buckets.get(resource.split(":::", 1)[1].split("/", 1)[0])
        if bucket is None or bucket.policy is None:
            continue
        if decides(bucket.policy, "Deny", action, resource, principal, context):
            raise Fault(
                "AccessDenied",
                f"User: {principal} is not authorized to perform: {action} on resource: {resource} "
                "with an explicit deny in a resource-based policy",
                403,
            )


def install() -> None:
    """Let moto ask here whether a policy opens an object to requests without credentials."""

    def get_permission(self: FakeBucket, action: str, resource: str) -> PermissionResult:
        if self.policy and decides(self.policy, "Allow", action, resource, "*", _anonymous_context):
            return PermissionResult.PERMITTED
        return PermissionResult.NEUTRAL  # denials were raised before moto was asked

    vars_of: Any = FakeBucket
    vars_of.get_permission = get_permission


def principal_arn(identity: Identity) -> str:
    """Who signed the request; unknown keys stand for the account's administrator."""
    if not identity.access_key:
        return "*"
    role = sts_backends[identity.account]["aws"].get_assumed_role_from_access_key(identity.access_key)
    if role is not None:
        return str(role.arn)
    for user in iam_backends[identity.account]["aws"].users.values():
        if any(key.access_key_id == identity.access_key for key in user.access_keys):
            return str(user.arn)
    return f"arn:aws:iam::{identity.account}:root"


def _accesses(identity: Identity, request: Request) -> Iterator[Access]:
    operation, params = get_service_router("s3").match(MotoRequest(environ_for(request)))
    name = str(operation.name)
    bucket, key = params.get("Bucket", ""), params.get("Key")
    action = "s3:" + _ACTIONS.get(name, name)
    if request.query.get("versionId") and name in {"GetObject", "HeadObject", "DeleteObject"}:
        action += "Version"
    if name == "DeleteObjects":
        for key_name in _keys_to_delete(request.body):
            yield action, f"arn:aws:s3:::{bucket}/{key_name}"
    else:
        yield action, f"arn:aws:s3:::{bucket}" + (f"/{key}" if key else "")
    source = unquote(request.header("x-amz-copy-source")).split("?", 1)[0].lstrip("/")
    if source and identity.operation in {"CopyObject", "UploadPartCopy"}:
        yield "s3:GetObject", f"arn:aws:s3:::{source}"


def _keys_to_delete(body: bytes) -> list[str]:
    import xmltodict

    objects = (xmltodict.parse(body, force_list=("Object",)).get("Delete") or {}).get("Object") or []
    return [str(item["Key"]) for item in objects]


def _context(identity: Identity, request: Request, principal: str) -> Context:
    context: Context = {
        "aws:SecureTransport": ["false" if request.header("x-forwarded-proto").lower() == "http" else "true"],
        "aws:SourceIp": [request.header("x-forwarded-for", "127.0.0.1").split(",")[0].strip()],
        "aws:RequestedRegion": [identity.region],
        "aws:PrincipalArn": [principal],
        "s3:TlsVersion": ["1.3"],
        "s3:ResourceAccount": [identity.account],
        "aws:ResourceAccount": [identity.account],
    }
    if principal != "*":
        context["aws:PrincipalAccount"] = [identity.account]
        context["aws:PrincipalType"] = ["AssumedRole" if ":assumed-role/" in principal else "Account"]
        context["s3:authType"] = ["REST-HEADER" if request.header("authorization") else "REST-QUERY-STRING"]
    if request.header("user-agent"):
        context["aws:UserAgent"] = [request.header("user-agent")]
    for name in _QUERY_KEYS:
        if name in request.query:
            context[f"s3:{name}"] = request.query[name]
    for name in _HEADER_KEYS:
        if request.header(name):
            context[f"s3:{name}"] = [request.header(name)]
    return context


def decides(policy: bytes | str, effect: str, action: str, resource: str, principal: str, context: Context) -> bool:
    statements = json.loads(policy)["Statement"]
    return any(
        statement.get("Effect") == effect and _applies(statement, action, resource, principal, context)
        for statement in (statements if isinstance(statements, list) else [statements])
    )


def _applies(statement: dict[str, Any], action: str, resource: str, principal: str, context: Context) -> bool:
    def listed(element: str, value: str, *, fold: bool = False) -> bool:
        patterns = as_list(statement[element])
        return any(wildcard(p.lower(), value.lower()) if fold else wildcard(p, value) for p in patterns)

    concerned = listed("Action", action, fold=True) if "Action" in statement else True
    if "NotAction" in statement:
        concerned = not listed("NotAction", action, fold=True)
    addressed = listed("Resource", resource) if "Resource" in statement else True
    if "NotResource" in statement:
        addressed = not listed("NotResource", resource)
    named = _is_named(statement.get("Principal"), principal) if "Principal" in statement else True
    if "NotPrincipal" in statement:
        named = not _is_named(statement["NotPrincipal"], principal)
    return concerned and addressed and named and conditions_hold(statement.get("Condition") or {}, context)


def _is_named(element: Any, principal: str) -> bool:
    if element == "*":
        return True
    if principal in as_list(element.get("Service", [])):
        return True
    for entry in as_list(element.get("AWS", [])):
        if entry in {"*", principal}:
            return True
        account = principal.split(":")[4] if principal.count(":") >= 5 else ""
        if account and entry in {account, f"arn:aws:iam::{account}:root"}:
            return True
        if ":assumed-role/" in principal:
            role = principal.split("/")[1]
            if entry.endswith(f"/{role}") and arn_matches(f"arn:aws:iam::{account}:role/*", entry):
                return True
    return False
