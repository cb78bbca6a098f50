"""S3 bucket settings: lifecycle and logging read back as sent, and the defaults of new buckets on AWS."""

from collections.abc import Mapping, Sequence
from typing import Any

from moto.s3.models import FakeDeleteMarker, PublicAccessBlock, s3_backends

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.services.registry import Call, Result, UpstreamError, extends

# moto disposes of every version that it deletes, but lacks this method for delete markers.
_markers: Any = FakeDeleteMarker
_markers.dispose = lambda _marker: None

_INVALID = "InvalidArgument"
_INFREQUENT, _INFREQUENT_DAYS = frozenset({"STANDARD_IA", "ONEZONE_IA"}), 30
_DEFAULT_MINIMUM = "all_storage_classes_128K"
_DEFAULT_ENCRYPTION = {
    "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]
}


@extends("s3", "CreateBucket")
def create_bucket(call: Call) -> Result:
    """Create a bucket with AWS's defaults: no access control lists, no public access."""
    buckets: Any = s3_backends[call.identity.account]["aws"].buckets
    known = call.params["Bucket"] in buckets
    result = call.proceed()
    if not known:
        bucket = buckets[call.params["Bucket"]]
        bucket.ownership_rule = bucket.ownership_rule or "BucketOwnerEnforced"
        bucket.public_access_block = PublicAccessBlock(
            block_public_acls="true",
            ignore_public_acls="true",
            block_public_policy="true",
            restrict_public_buckets="true",
        )
    return result


@extends("s3", "GetBucketEncryption")
def bucket_encryption(call: Call) -> Result:
    """Return the encryption. The default is S3's own keys; blocked types, which moto leaves out, are added."""
    try:
        result = call.proceed()
    except UpstreamError as error:
        if b"ServerSideEncryptionConfigurationNotFoundError" not in error.reply.body:
            raise
        return {"ServerSideEncryptionConfiguration": _DEFAULT_ENCRYPTION}
    bucket: Any = s3_backends[call.identity.account]["aws"].get_bucket(call.params["Bucket"])
    blocked = bucket.encryption["Rule"].get("BlockedEncryptionTypes")
    if blocked:
        types = blocked["EncryptionType"]  # moto's form of the XML: one value, or a list of several
        [rule] = result["ServerSideEncryptionConfiguration"]["Rules"]
        rule["BlockedEncryptionTypes"] = {"EncryptionType": types if isinstance(types, list) else [types]}
    return result


@extends("s3", "PutBucketLifecycleConfiguration")
def put_lifecycle(call: Call) -> Result:
    """Store the whole rules; moto validates them but drops parts."""
    rules = (call.params.get("LifecycleConfiguration") or {}).get("Rules", [])
    _check_lifecycle(rules)
    call.proceed()
    minimum = call.params.get("TransitionDefaultMinimumObjectSize") or _DEFAULT_MINIMUM
    call.remembered("lifecycle", regional=False)[call.params["Bucket"]] = {
        "Rules": rules,
        "TransitionDefaultMinimumObjectSize": minimum,
    }
    return {"TransitionDefaultMinimumObjectSize": minimum}


def _check_lifecycle(rules: Sequence[Mapping[str, Any]]) -> None:
    """Reject rules that moto accepts and AWS rejects. Rules with overlapping filters are valid.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html
    """
    names = [rule["ID"] for rule in rules if rule.get("ID")]
    if len(set(names)) != len(names):
        raise Fault(_INVALID, "Rule ID must be unique. Found same ID for more than one rule")
    for rule in rules:
        transitions = [each for each in rule.get("Transitions") or [] if "Days" in each]
        for each in transitions:
            if each["StorageClass"] in _INFREQUENT and each["Days"] < _INFREQUENT_DAYS:
                raise Fault(
                    _INVALID,
                    f"'Days' in Transition action must be greater than or equal to {_INFREQUENT_DAYS} for storageClass "
                    f"'{each['StorageClass']}'",
                )
        expiration = rule.get("Expiration") or {}
        days = expiration.get("Days")
        if "ExpiredObjectDeleteMarker" in expiration and len(expiration) > 1:
            # moto rejects this too, but drops the existing rules.
            raise Fault(
                "MalformedXML",
                "The XML you provided was not well-formed or did not validate against our published schema",
            )
        if days is not None and any(days <= each["Days"] for each in transitions):
            prefix = (rule.get("Filter") or {}).get("Prefix", "")
            raise Fault(
                _INVALID,
                f"'Days' in the Expiration action for filter '(prefix={prefix})' must be greater than 'Days' in the "
                "Transition action",
            )


@extends("s3", "GetBucketLifecycleConfiguration")
def get_lifecycle(call: Call) -> Result:
    """Return the rules as sent; moto checks that the bucket and its rules exist."""
    upstream = call.proceed()
    return call.remembered("lifecycle", regional=False).get(call.params["Bucket"], upstream)


@extends("s3", "PutBucketLogging")
def put_logging(call: Call) -> Result:
    """Store the logging settings, because moto drops the key format."""
    result = call.proceed()
    status = call.params.get("BucketLoggingStatus") or {}
    call.remembered("logging", regional=False)[call.params["Bucket"]] = status.get("LoggingEnabled") or {}
    return result


@extends("s3", "GetBucketLogging")
def get_logging(call: Call) -> Result:
    """Return the logging settings as sent."""
    upstream = call.proceed()
    if not upstream.get("LoggingEnabled"):
        return upstream
    kept = call.remembered("logging", regional=False).get(call.params["Bucket"]) or {}
    return {"LoggingEnabled": upstream["LoggingEnabled"] | kept}
