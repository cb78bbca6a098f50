"""S3 bucket settings: lifecycle and logging read back as sent, and the settings every new bucket has on AWS."""

from typing import Any

from moto.s3.models import FakeDeleteMarker, PublicAccessBlock, s3_backends

from sandbox.emulator.extensions.registry import Call, Result, UpstreamError, extends

# moto disposes of every version that it deletes, and forgot that a delete marker has nothing to dispose of.
_markers: Any = FakeDeleteMarker
_markers.dispose = lambda _marker: None

_DEFAULT_MINIMUM = "all_storage_classes_128K"
_DEFAULT_ENCRYPTION = {
    "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]
}


@extends("s3", "CreateBucket")
def create_bucket(call: Call) -> Result:
    """Set what AWS sets on new buckets: no access control lists, no public access."""
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
    """Without a setting of its own a bucket is encrypted with S3's own keys; moto leaves out what is blocked."""
    try:
        result = call.proceed()
    except UpstreamError as error:
        if b"ServerSideEncryptionConfigurationNotFoundError" not in error.reply.body:
            raise
        return {"ServerSideEncryptionConfiguration": _DEFAULT_ENCRYPTION}
    bucket: Any = s3_backends[call.identity.account]["aws"].get_bucket(call.params["Bucket"])
    blocked = bucket.encryption["Rule"].get("BlockedEncryptionTypes")
    if blocked:
        types = blocked["EncryptionType"]  # as moto read the XML: one, or a list of several
        [rule] = result["ServerSideEncryptionConfiguration"]["Rules"]
        rule["BlockedEncryptionTypes"] = {"EncryptionType": types if isinstance(types, list) else [types]}
    return result


@extends("s3", "PutBucketLifecycleConfiguration")
def put_lifecycle(call: Call) -> Result:
    """Keep the rules whole; moto checks them but forgets parts."""
    call.proceed()
    minimum = call.params.get("TransitionDefaultMinimumObjectSize") or _DEFAULT_MINIMUM
    rules = (call.params.get("LifecycleConfiguration") or {}).get("Rules", [])
    call.remembered("lifecycle", regional=False)[call.params["Bucket"]] = {
        "Rules": rules,
        "TransitionDefaultMinimumObjectSize": minimum,
    }
    return {"TransitionDefaultMinimumObjectSize": minimum}


@extends("s3", "GetBucketLifecycleConfiguration")
def get_lifecycle(call: Call) -> Result:
    """Answer what was sent; moto answers that there is nothing, or no bucket."""
    upstream = call.proceed()
    return call.remembered("lifecycle", regional=False).get(call.params["Bucket"], upstream)


@extends("s3", "PutBucketLogging")
def put_logging(call: Call) -> Result:
    """Keep the key format, which moto forgets."""
    result = call.proceed()
    status = call.params.get("BucketLoggingStatus") or {}
    call.remembered("logging", regional=False)[call.params["Bucket"]] = status.get("LoggingEnabled") or {}
    return result


@extends("s3", "GetBucketLogging")
def get_logging(call: Call) -> Result:
    """Answer what was sent."""
    upstream = call.proceed()
    if not upstream.get("LoggingEnabled"):
        return upstream
    kept = call.remembered("logging", regional=False).get(call.params["Bucket"]) or {}
    return {"LoggingEnabled": upstream["LoggingEnabled"] | kept}
