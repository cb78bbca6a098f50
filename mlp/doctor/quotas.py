"""An environment's nodes against the quotas of an AWS account: what it needs, what the account has, what is short."""

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
    """`granted` is None where the account could not be asked; `problem` says what is short or why nobody could ask."""

    need: Need
    granted: float | None
    problem: str | None

    @property
    def stops(self) -> bool:
        return self.granted is not None and stops(self.need, self.granted)


def needed(settings: PlatformSettings) -> tuple[Need, ...]:
    """Return what the pools of an environment need."""
    return needs(settings.cluster.pools.values(), lambda name: instance_size(name).cpus)


def check_quotas(settings: PlatformSettings, client: Any) -> Sequence[Checked]:
    """Ask an account for its quotas.

    Args:
        settings: of the environment.
        client: boto3's for `service-quotas` in the environment's region; None asks nobody.
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
    """A quota that nobody has raised may be known by its default only."""
    wanted = {"ServiceCode": SERVICE, "QuotaCode": code}
    try:
        return float(client.get_service_quota(**wanted)["Quota"]["Value"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchResourceException":
            raise
        return float(client.get_aws_default_service_quota(**wanted)["Quota"]["Value"])
