"""Limits on names, descriptions and sizes that no service model publishes.

They concern buckets, objects, secrets, aliases, security groups and logs.
"""

import ipaddress
import re
from typing import Any

from moto.ec2.models import ec2_backends

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.quotas.registry import Asked, checks

KEY_BYTES = 1_024
"""Limit on an object's key in bytes: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html"""

BUCKET_POLICY_BYTES = 20 * 1_024
"""Limit on a bucket policy: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html"""

KEY_POLICY_BYTES = 32 * 1_024
"""Limit on a key policy: https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html"""

RETENTIONS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
"""Days: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"""

_BUCKET = re.compile(r"[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]", re.ASCII)
_BUCKET_BEGINNINGS = ("xn--", "sthree-", "amzn-s3-demo-")
_BUCKET_ENDINGS = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
_SECRET = re.compile(r"[A-Za-z0-9/_+=.@!-]{1,512}", re.ASCII)
_DESCRIPTION = re.compile(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{0,255}", re.ASCII)
_DESCRIPTION_WORDS = (
    "Valid descriptions are strings less than 256 characters from the following set: a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"
)


@checks("s3", "CreateBucket")
def bucket_name(asked: Asked) -> None:
    """Reject a bucket name that breaks the naming rules.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    """
    name = str(asked.path_params.get("Bucket", ""))
    if not _BUCKET.fullmatch(name) or name.startswith(_BUCKET_BEGINNINGS) or name.endswith(_BUCKET_ENDINGS):
        raise Fault("InvalidBucketName", "The specified bucket is not valid.")
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return
    raise Fault("InvalidBucketName", "The specified bucket is not valid.")


@checks("s3", "PutObject", "CopyObject", "CreateMultipartUpload")
def object_key(asked: Asked) -> None:
    """Reject a key that is longer than 1,024 bytes of UTF-8."""
    length = len(str(asked.path_params.get("Key", "")).encode())
    if length > KEY_BYTES:
        raise Fault("KeyTooLongError", f"Your key is too long: {length} bytes, of {KEY_BYTES} that are allowed")


@checks("s3", "PutBucketPolicy")
def bucket_policy(asked: Asked) -> None:
    """Reject a bucket policy of more than 20 KB."""
    length = len(str(asked.params["Policy"]).encode())
    if length > BUCKET_POLICY_BYTES:
        raise Fault("PolicyTooLarge", f"A bucket policy has at most {BUCKET_POLICY_BYTES} bytes; this one has {length}")


@checks("s3", "PutBucketTagging")
def bucket_tags(asked: Asked) -> None:
    """Reject more than 50 tags of a bucket.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/CostAllocTagging.html
    """
    count = len((asked.params.get("Tagging") or {}).get("TagSet") or [])
    if count > 50:
        raise Fault("BadRequest", f"Bucket tag count cannot be greater than 50; {count} were given")


@checks("secretsmanager", "CreateSecret")
def secret_name(asked: Asked) -> None:
    """Reject a secret name that is too long or contains other characters than AWS allows.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
    """
    if not _SECRET.fullmatch(str(asked.params["Name"])):
        raise Fault(
            "ValidationException",
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
        )


@checks("kms", "CreateAlias", "UpdateAlias", "DeleteAlias")
def alias_name(asked: Asked) -> None:
    """Reject an alias in the reserved namespace alias/aws/.

    https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html
    """
    if str(asked.params["AliasName"]).startswith("alias/aws/"):
        raise Fault("NotAuthorizedException", "Aliases that begin with alias/aws/ are reserved for AWS managed keys")


@checks("kms", "CreateKey", "PutKeyPolicy")
def key_policy(asked: Asked) -> None:
    """Reject a key policy of more than 32 KB."""
    length = len(str(asked.params.get("Policy") or "").encode())
    if length > KEY_POLICY_BYTES:
        raise Fault(
            "LimitExceededException", f"A key policy has at most {KEY_POLICY_BYTES} bytes; this one has {length}"
        )


@checks("ec2", "CreateSecurityGroup")
def security_group(asked: Asked) -> None:
    """Reject an invalid name or description of a security group, and a VPC that does not exist.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
    """
    if str(asked.params.get("GroupName", "")).lower().startswith("sg-"):
        raise Fault("InvalidParameterValue", "Invalid group name. Group names may not be in the format sg-*.")
    if not _DESCRIPTION.fullmatch(str(asked.params.get("Description", ""))):
        raise Fault("InvalidParameterValue", f"Invalid security group description. {_DESCRIPTION_WORDS}")
    vpc = asked.params.get("VpcId")
    vpcs: Any = ec2_backends[asked.identity.account][asked.identity.region].vpcs
    if vpc and vpc not in vpcs:
        raise Fault("InvalidVpcID.NotFound", f"The vpc ID '{vpc}' does not exist")


@checks("ec2", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress", "ModifySecurityGroupRules")
def rule_description(asked: Asked) -> None:
    """Reject an invalid description of a security group rule.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpRange.html
    """
    ranges = ("IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs")
    rules = [
        each for item in asked.params.get("IpPermissions") or [] for kind in ranges for each in item.get(kind) or []
    ]
    rules += [each.get("SecurityGroupRule") or {} for each in asked.params.get("SecurityGroupRules") or []]
    if not all(_DESCRIPTION.fullmatch(str(rule.get("Description") or "")) for rule in rules):
        raise Fault("InvalidParameterValue", f"Invalid rule description. {_DESCRIPTION_WORDS}")


@checks("logs", "PutRetentionPolicy")
def retention(asked: Asked) -> None:
    """Reject a number of days that CloudWatch Logs does not offer."""
    days = int(asked.params["retentionInDays"])
    if days not in RETENTIONS:
        raise Fault("InvalidParameterException", f"retentionInDays {days} is not one of {RETENTIONS}")
