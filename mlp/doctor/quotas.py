"""Check of an environment's nodes against the quotas of an AWS account: need, limit and shortage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from components.instance_sizes import instance_size
from components.service_quotas import SERVICE, Need, needs, shortage, stops

if TYPE_CHECKING:
    from stacks.settings import PlatformSettings


@dataclass(frozen=True, kw_only=True)
class Checked:
    """Result for one quota.

    `granted` is None if the account could not be queried; `problem` describes the shortage or the failed query.
    """

    need: Need
    granted: float | None
    problem: str | None

    @property
    def stops(self) -> bool:
        return self.granted is not None and stops(self.need, self.granted)


def needed(settings: PlatformSettings) -> tuple[Need, ...]:
    """Return the quota needs of an environment's pools."""
    return needs(settings.cluster.pools.values(), lambda name: instance_size(name).cpus)


def check_quotas(settings: PlatformSettings, client: Any) -> Sequence[Checked]:
    """Query the quotas of an account and compare them with the needs.

    Args:
        settings: settings of the environment.
        client: boto3 client for `service-quotas` in the environment's region; None skips the query.
    """
    return [_check(need, settings.region, client) for need in needed(settings)]


def _check(need: Need, region: str, client: Any) -> Checked:
    if client is None:
        return Checked(need=need, granted=None, problem="not asked")
    try:
        granted = _granted(client, need.quota.code)
    except (BotoCoreError, ClientError) as error:
        return Checked(need=need, granted=None, problem=f"{need.quota.name}: cannot be read: {error}")
    return Checked(need=need, granted=granted, problem=shortage(need, granted, region))


def _granted(client: Any, code: str) -> float:
    """Return the limit of a quota. AWS may list a quota that was never raised only with its default."""
    wanted = {"ServiceCode": SERVICE, "QuotaCode": code}
    try:
        return float(client.get_service_quota(**wanted)["Quota"]["Value"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchResourceException":
            raise
        return float(client.get_aws_default_service_quota(**wanted)["Quota"]["Value"])
