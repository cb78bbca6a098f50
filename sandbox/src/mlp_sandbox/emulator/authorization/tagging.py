"""Tags in conditions: those that a request carries, and those that a resource has."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from moto.autoscaling.models import autoscaling_backends
from moto.core.exceptions import ServiceException
from moto.dynamodb.models import dynamodb_backends
from moto.ec2.models import ec2_backends
from moto.ecr.models import ecr_backends
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.logs.models import logs_backends
from moto.rds.models import rds_backends
from moto.s3.models import s3_backends
from moto.sagemaker.models import sagemaker_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends
from werkzeug.exceptions import HTTPException

from mlp_sandbox.emulator.authorization import eks
from mlp_sandbox.emulator.authorization.request import AuthorizationRequest

Tags = Mapping[str, str]
_LISTS = ("tags", "tag", "resourcetags", "tagset")


def requested(ask: AuthorizationRequest, resource: str) -> Tags:
    """Return the tags that a request carries. Each of EC2's tag specifications is meant for one kind of resource."""
    if ask.prefix == "s3":
        return dict(parse_qsl(ask.request.header("x-amz-tagging")))
    found: dict[str, str] = {}
    for name, value in ask.params.items():
        if name.lower() in _LISTS:
            found |= plain(value)
    for specification in ask.params.get("TagSpecifications") or []:
        if f":{specification.get('ResourceType')}/" in resource:
            found |= plain(specification.get("Tags"))
    return found


def removed(ask: AuthorizationRequest) -> list[str]:
    """Return the keys of the tags that a request removes."""
    return ask.values("TagKeys") or ask.values("TagKeyList")


def plain(value: Any) -> dict[str, str]:
    """Return tags as a mapping, from any of the shapes that AWS services use."""
    if isinstance(value, Mapping):
        inner: Any = value.get("TagSet") if "TagSet" in value else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        if inner is not None:
            return plain(inner)
        return {str(key): str(text) for key, text in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    found: dict[str, str] = {}
    for item in value or []:
        known = {str(name).lower(): text for name, text in item.items()}
        key = known.get("key", known.get("tagkey"))
        if key is not None:
            found[str(key)] = str(known.get("value", known.get("tagvalue")) or "")
    return found


def of_resource(arn: str) -> Tags:
    """Return the tags that a resource has now; empty when it does not exist."""
    parts = arn.split(":", 5)
    if len(parts) != 6:
        return {}
    look = _LOOKUPS.get(parts[2])
    if look is None:
        return {}
    try:
        return look(parts[4], parts[3], arn, parts[5]) or {}
    except (LookupError, AttributeError, TypeError, StopIteration, HTTPException, ServiceException):
        return {}  # a missing resource has no tags; moto raises any of these for it


def of_object(ask: AuthorizationRequest) -> Tags:
    """Return the tags of the object that an S3 request is about."""
    backend: Any = s3_backends[ask.identity.account]["aws"]
    bucket = backend.buckets.get(ask.params.get("Bucket"))
    held = bucket.keys.get(ask.params.get("Key")) if bucket is not None else None
    return {} if held is None else plain(backend.tagger.get_tag_dict_for_resource(held.arn))


def _ec2(account: str, region: str, _arn: str, name: str) -> Tags:
    backend: Any = ec2_backends[account][region]
    identifier = name.partition("/")[2]
    return dict(backend.tags[identifier]) if identifier in backend.tags else {}


def _kms(account: str, region: str, _arn: str, name: str) -> Tags:
    backend: Any = kms_backends[account][region]
    if name.startswith("alias/") and backend.get_key_id_from_alias(name) is None:
        return {}
    key = backend.any_id_to_key_id(name if name.startswith("alias/") else name.removeprefix("key/"))
    return plain(backend.list_resource_tags(key)["Tags"])


def _iam(account: str, _region: str, arn: str, name: str) -> Tags:
    backend: Any = iam_backends[account]["aws"]
    kind = name.partition("/")[0]
    if kind == "policy":
        return plain(backend.managed_policies[arn].tags)
    if kind in {"role", "instance-profile"}:
        things = backend.roles if kind == "role" else backend.instance_profiles
        return plain(next(thing.tags for thing in things.values() if thing.arn == arn))
    if kind == "oidc-provider":
        return plain(backend.open_id_providers[arn].tags)
    return plain(backend.tagger.list_tags_for_resource(arn)["Tags"])


def _secrets(account: str, region: str, arn: str, _name: str) -> Tags:
    return plain(secretsmanager_backends[account][region].secrets[arn].tags)


def _sns(account: str, region: str, arn: str, _name: str) -> Tags:
    topics: Any = sns_backends[account][region].topics
    return plain(topics[arn]._tags)


def _sqs(account: str, region: str, _arn: str, name: str) -> Tags:
    return plain(sqs_backends[account][region].queues[name].tags)


def _ecr(account: str, region: str, arn: str, _name: str) -> Tags:
    return plain(ecr_backends[account][region].tagger.get_tag_dict_for_resource(arn))


def _eks(account: str, region: str, arn: str, _name: str) -> Tags:
    return eks.tags_of(account, region, arn)


def _rds(account: str, region: str, arn: str, _name: str) -> Tags:
    return plain(rds_backends[account][region].list_tags_for_resource(arn))


def _autoscaling(account: str, region: str, _arn: str, name: str) -> Tags:
    groups: Any = autoscaling_backends[account][region].autoscaling_groups
    return plain(groups[name.rpartition("/")[2]].tags)


def _logs(account: str, region: str, _arn: str, name: str) -> Tags:
    group = name.removeprefix("log-group:").partition(":")[0]
    arn = f"arn:aws:logs:{region}:{account}:log-group:{group}"
    backend: Any = logs_backends[account][region]
    return plain(backend.tagger.get_tag_dict_for_resource(arn)) or plain(
        backend.tagger.get_tag_dict_for_resource(f"{arn}:*")
    )


def _dynamodb(account: str, region: str, _arn: str, name: str) -> Tags:
    return plain(dynamodb_backends[account][region].tables[name.split("/")[1]].tags)


def _sagemaker(account: str, region: str, arn: str, _name: str) -> Tags:
    backend: Any = sagemaker_backends[account][region]
    return plain(backend.list_tags(arn)[0])


_LOOKUPS: Mapping[str, Callable[[str, str, str, str], Tags]] = {
    "autoscaling": _autoscaling,
    "dynamodb": _dynamodb,
    "ec2": _ec2,
    "ecr": _ecr,
    "eks": _eks,
    "iam": _iam,
    "kms": _kms,
    "logs": _logs,
    "rds": _rds,
    "sagemaker": _sagemaker,
    "secretsmanager": _secrets,
    "sns": _sns,
    "sqs": _sqs,
}


def tag_keys(ask: AuthorizationRequest, resource: str) -> Iterator[str]:
    """Yield the keys of all tags that a request adds or removes."""
    yield from requested(ask, resource)
    yield from removed(ask)
