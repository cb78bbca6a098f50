"""EKS: the available Kubernetes versions with their support periods.

https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.services.eks.records import INVALID_PARAMETER, page
from mlp_sandbox.emulator.services.registry import Call, Result, extends


@dataclass(frozen=True, kw_only=True)
class Version:
    """A minor version: 14 months of standard support from its release, then 12 months of extended support."""

    name: str
    patch: str
    platform: str
    released: datetime
    standard_until: datetime
    extended_until: datetime


def _day(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


VERSIONS = {
    version.name: version
    for version in (
        Version(
            name="1.33",
            patch="1.33.12",
            platform="eks.33",
            released=_day(2025, 5, 29),
            standard_until=_day(2026, 7, 29),
            extended_until=_day(2027, 7, 29),
        ),
        Version(
            name="1.34",
            patch="1.34.8",
            platform="eks.21",
            released=_day(2025, 10, 2),
            standard_until=_day(2026, 12, 2),
            extended_until=_day(2027, 12, 2),
        ),
        Version(
            name="1.35",
            patch="1.35.5",
            platform="eks.12",
            released=_day(2026, 1, 27),
            standard_until=_day(2027, 3, 27),
            extended_until=_day(2028, 3, 27),
        ),
        Version(
            name="1.36",
            patch="1.36.3",
            platform="eks.4",
            released=_day(2026, 6, 2),
            standard_until=_day(2027, 8, 2),
            extended_until=_day(2028, 8, 2),
        ),
    )
}
DEFAULT_VERSION = "1.36"


def minor(version: str) -> int:
    """Return the minor number of a version, such as 36 for 1.36."""
    return int(version.split(".")[1])


def known_version(version: str) -> Version:
    """Return an available version.

    Raises:
        Fault: InvalidParameterException: there is no such version.
    """
    if version not in VERSIONS:
        raise Fault(INVALID_PARAMETER, f"unsupported Kubernetes version {version}; there are {', '.join(VERSIONS)}")
    return VERSIONS[version]


@extends("eks", "DescribeClusterVersions")
def describe_versions(call: Call) -> Result:
    """Describe the versions, newest first, as EKS lists them."""
    params = call.params
    moment = datetime.now(UTC)
    wanted = params.get("clusterVersions") or list(VERSIONS)
    statuses = {str(params[name]).upper().replace("-", "_") for name in ("status", "versionStatus") if params.get(name)}
    described = [_described(version, moment) for name, version in reversed(VERSIONS.items()) if name in wanted]
    described = [
        version
        for version in described
        if (not statuses or version["versionStatus"] in statuses)
        and (not params.get("defaultOnly") or version["defaultVersion"])
        and (params.get("clusterType") or "eks") == "eks"
    ]
    shown, token = page(call, described, lambda version: f"{99 - minor(version['clusterVersion'])}")
    return {"clusterVersions": shown, **token}


def _described(version: Version, moment: datetime) -> Result:
    status = "STANDARD_SUPPORT" if moment < version.standard_until else "EXTENDED_SUPPORT"
    status = status if moment < version.extended_until else "UNSUPPORTED"
    return {
        "clusterVersion": version.name,
        "clusterType": "eks",
        "defaultPlatformVersion": version.platform,
        "defaultVersion": version.name == DEFAULT_VERSION,
        "releaseDate": version.released,
        "endOfStandardSupportDate": version.standard_until,
        "endOfExtendedSupportDate": version.extended_until,
        "status": status.lower().replace("_", "-"),
        "versionStatus": status,
        "kubernetesPatchVersion": version.patch,
    }
