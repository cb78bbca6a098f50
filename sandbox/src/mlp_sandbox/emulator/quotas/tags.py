"""Tags: at most 50 of a resource in one request, and no key that begins with `aws:`, which AWS reserves.

https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
The wording differs a little between services; this module uses that of KMS and ECR.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.quotas.registry import ANY, Asked, checks

MOST = 50
# For each service: the code for a reserved key, and the code for too many tags.
_CODES = {
    "ec2": ("InvalidParameterValue", "TagLimitExceeded"),
    "ecr": ("InvalidTagParameterException", "TooManyTagsException"),
    "iam": ("InvalidInput", "LimitExceeded"),
    "kms": ("TagException", "TagException"),
    "logs": ("InvalidParameterException", "TooManyTagsException"),
    "rds": ("InvalidParameterValue", "InvalidParameterValue"),
    "secretsmanager": ("InvalidParameterException", "InvalidParameterException"),
    "sns": ("InvalidParameter", "TagLimitExceeded"),
}
_HOLDERS = ("Tags", "tags")
_LISTS_OF_HOLDERS = ("TagSpecifications", "LaunchTemplateData")


def check(asked: Asked) -> None:
    """Check the tags of a request.

    Raises:
        Fault: The service would reject the tags.
    """
    if asked.identity.operation.startswith(("Untag", "RemoveTags", "DeleteTags")):
        return
    reserved, too_many = _CODES[asked.identity.service]
    for tags in _tags(asked.params):
        for key in tags:
            if key.lower().startswith("aws:"):
                raise Fault(reserved, f"aws: prefixed tag key names are not allowed for external use: {key}")
        if len(tags) > MOST:
            raise Fault(too_many, f"A resource has {MOST} tags at most; {len(tags)} were given")


def _tags(params: Mapping[str, Any]) -> Iterator[list[str]]:
    """Yield the keys of every set of tags in a request."""
    for name in _HOLDERS:
        found = params.get(name)
        if isinstance(found, Mapping):
            yield [str(key) for key in found]
        elif isinstance(found, list):
            yield [str(tag.get("Key") or tag.get("TagKey") or "") for tag in found if isinstance(tag, Mapping)]
    for name in _LISTS_OF_HOLDERS:
        inner = params.get(name) or []
        for each in inner if isinstance(inner, list) else [inner]:
            yield from _tags(each)


for _service in _CODES:
    checks(_service, ANY)(check)
