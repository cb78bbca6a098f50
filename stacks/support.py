"""Check that AWS supports the versions in an environment's settings; every preview and deployment runs it.

The check uses today's date, or the date in the variable MLP_TODAY (such as 2027-06-01). The variable is for a look
ahead and for tests, which must not start to fail on some day by themselves.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

import pulumi

from components.eks.spec import pool_path
from components.support_dates import Notice, kubernetes_notices, postgres_notices
from validation.errors import SettingsError

if TYPE_CHECKING:
    from stacks.settings import PlatformSettings

VARIABLE: Final = "MLP_TODAY"


def today(environment: Mapping[str, str] | None = None) -> date:
    """Return the date for the check, in UTC. Raises SettingsError if the variable does not contain a date."""
    given = (os.environ if environment is None else environment).get(VARIABLE)
    if not given:
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise SettingsError(f"{VARIABLE}: got {given!r}; write a day such as 2027-06-01, or unset it") from None


def notices(settings: PlatformSettings, day: date) -> Iterator[Notice]:
    """Yield notices about the versions in the settings."""
    cluster, policy = settings.cluster, settings.cluster.upgrade_policy
    yield from kubernetes_notices("cluster.version", cluster.version, policy, day)
    for name, pool in cluster.pools.items():
        if pool.version and pool.version != cluster.version:
            yield from kubernetes_notices(f"cluster.{pool_path(name)}.version", pool.version, policy, day)
    yield from postgres_notices("database.engine_version", settings.database.engine_version, day)


def check_support(settings: PlatformSettings, day: date) -> None:
    """Warn about versions whose support ends within 60 days.

    Raises:
        SettingsError: the support of a version has ended.
    """
    found = list(notices(settings, day))
    for notice in found:
        if notice.level == "warning":
            pulumi.log.warn(str(notice))
    over = [str(notice) for notice in found if notice.level == "error"]
    if over:
        raise SettingsError(f"stacks/Pulumi.{settings.environment}.yaml, on {day}\n  " + "\n  ".join(over))
