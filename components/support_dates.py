"""End dates of AWS support for versions: dated tables, and a check for a given day. Pure.

The tables contain only dates that AWS has announced; a version that is not listed has no date yet. Looked up on
2026-11-30.

Kubernetes: https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html
PostgreSQL: https://docs.aws.amazon.com/AmazonRDS/latest/PostgreSQLReleaseNotes/postgresql-release-calendar.html; minor
versions by AWS's notices, which https://github.com/aws/aws-cdk/pull/33663 (2025-03-31),
https://github.com/ministryofjustice/modernisation-platform/issues/11245 (2025-10-31),
https://github.com/CredentialEngine/CredentialRegistry/issues/1000 (2026-05-31) and
https://github.com/CredentialEngine/CredentialRegistry/issues/1036 (2026-10-31) quote.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

KUBERNETES_SOURCE = "https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html"
POSTGRES_SOURCE = "https://docs.aws.amazon.com/AmazonRDS/latest/PostgreSQLReleaseNotes/postgresql-release-calendar.html"
WARNING = timedelta(days=60)

Level = Literal["warning", "error"]


@dataclass(frozen=True, kw_only=True)
class Support:
    """Last days of standard support, and of extended support at a higher price."""

    standard: date
    extended: date


@dataclass(frozen=True, kw_only=True)
class Retired:
    """Retirement of minor versions up to `last`.

    From `no_new` on RDS creates no instances with them; after `ends` it upgrades existing instances.
    """

    last: int
    no_new: date
    ends: date


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Notice about a version. `field` is the setting that names it; `text` contains date, source and the fix."""

    level: Level
    field: str
    text: str

    def __str__(self) -> str:
        return f"{self.field}: {self.text}"


KUBERNETES: Mapping[str, Support] = {
    "1.33": Support(standard=date(2026, 7, 29), extended=date(2027, 7, 29)),
    "1.34": Support(standard=date(2026, 12, 2), extended=date(2027, 12, 2)),
    "1.35": Support(standard=date(2027, 3, 27), extended=date(2028, 3, 27)),
    "1.36": Support(standard=date(2027, 8, 2), extended=date(2028, 8, 2)),
}
POSTGRES: Mapping[int, Support] = {
    14: Support(standard=date(2027, 2, 28), extended=date(2030, 2, 28)),
    15: Support(standard=date(2028, 2, 29), extended=date(2031, 2, 28)),
    16: Support(standard=date(2029, 2, 28), extended=date(2032, 2, 29)),
    17: Support(standard=date(2030, 2, 28), extended=date(2033, 2, 28)),
    18: Support(standard=date(2031, 2, 28), extended=date(2034, 2, 28)),
}
_SPRING_2025 = {"no_new": date(2024, 12, 9), "ends": date(2025, 3, 31)}
_AUTUMN_2025 = {"no_new": date(2025, 10, 1), "ends": date(2025, 10, 31)}
_SPRING_2026 = {"no_new": date(2026, 5, 1), "ends": date(2026, 5, 31)}
_AUTUMN_2026 = {"no_new": date(2026, 10, 1), "ends": date(2026, 10, 31)}
# Oldest first: a minor version belongs to the first entry that includes it.
POSTGRES_MINORS: Mapping[int, tuple[Retired, ...]] = {
    14: (
        Retired(last=11, **_SPRING_2025),
        Retired(last=13, **_AUTUMN_2025),
        Retired(last=17, **_SPRING_2026),
        Retired(last=19, **_AUTUMN_2026),
    ),
    15: (
        Retired(last=6, **_SPRING_2025),
        Retired(last=8, **_AUTUMN_2025),
        Retired(last=12, **_SPRING_2026),
        Retired(last=14, **_AUTUMN_2026),
    ),
    16: (
        Retired(last=2, **_SPRING_2025),
        Retired(last=4, **_AUTUMN_2025),
        Retired(last=8, **_SPRING_2026),
        Retired(last=10, **_AUTUMN_2026),
    ),
    17: (Retired(last=4, **_SPRING_2026), Retired(last=6, **_AUTUMN_2026)),
}
# Newest minor versions in AWS's calendar as of August 2026.
POSTGRES_NEWEST: Mapping[int, str] = {14: "14.23", 15: "15.18", 16: "16.14", 17: "17.10", 18: "18.4"}


def kubernetes_notices(field: str, version: str, policy: str, today: date) -> Iterator[Notice]:
    """Yield notices about the support of a Kubernetes version on a day.

    Args:
        field: the setting that names the version.
        version: the minor version, such as 1.36; a version that is not in the table yields nothing.
        policy: `standard`, or `extended` for 12 more months at a higher price.
        today: the day to check.
    """
    support = KUBERNETES.get(version)
    if support is None:
        return
    newer = list(KUBERNETES)[list(KUBERNETES).index(version) + 1 :]
    later = [name for name in newer if KUBERNETES[name].standard - today > WARNING]
    fix = f"write {_one_of(later)}, one minor after the other" if later else "add a newer one to the program first"
    if policy == "extended" and support.standard < today <= support.extended - WARNING:
        text = f"Kubernetes {version} is in extended support since {support.standard}, at a higher price"
        yield Notice(level="warning", field=field, text=f"{text} ({KUBERNETES_SOURCE}); {fix}")
        return
    ends = support.extended if policy == "extended" else support.standard
    what = f"Amazon EKS's {policy} support of Kubernetes {version}"
    after = "" if policy == "extended" else ", and EKS then upgrades the control plane by itself"
    yield from _ending(field, ends, today, what, after, KUBERNETES_SOURCE, fix)


def postgres_notices(field: str, version: str, today: date) -> Iterator[Notice]:
    """Yield notices about the support of a PostgreSQL version of RDS on a day.

    Args:
        field: the setting that names the version.
        version: major and minor version, such as 15.18. A minor without a date announced by AWS yields nothing.
        today: the day to check.
    """
    major, minor = (int(part) for part in version.split("."))
    newest = POSTGRES_NEWEST.get(major, "")
    newer = [each for number, each in POSTGRES_NEWEST.items() if number > major]
    for retired in POSTGRES_MINORS.get(major, ()):
        if minor <= retired.last:
            what = f"Amazon RDS creates PostgreSQL {version} no more from"
            after = f", and upgrades those that there are after {retired.ends}"
            fix = f"write {_one_of([newest, *newer])}"
            if today >= retired.no_new:
                text = f"{what} {retired.no_new} on{after} ({POSTGRES_SOURCE}); {fix}"
                yield Notice(level="error", field=field, text=text)
            elif retired.no_new - today <= WARNING:
                text = f"{what} {retired.no_new} on{after} ({POSTGRES_SOURCE}); before that {fix}"
                yield Notice(level="warning", field=field, text=text)
            return
    support = POSTGRES.get(major)
    if support is None:
        return
    fix = f"write {_one_of(newer)} after reading what a major upgrade changes" if newer else "look for a newer major"
    if support.standard < today <= support.extended - WARNING:
        text = f"PostgreSQL {major} is in Amazon RDS's extended support since {support.standard}, at a higher price"
        yield Notice(level="warning", field=field, text=f"{text} ({POSTGRES_SOURCE}); {fix}")
    elif today <= support.standard:
        if support.standard - today <= WARNING:
            text = f"Amazon RDS's standard support of PostgreSQL {major} ends on {support.standard}"
            yield Notice(level="warning", field=field, text=f"{text} ({POSTGRES_SOURCE}); {fix}")
    else:
        what = f"Amazon RDS's extended support of PostgreSQL {major}"
        yield from _ending(field, support.extended, today, what, "", POSTGRES_SOURCE, fix)


def _ending(field: str, ends: date, today: date, what: str, after: str, source: str, fix: str) -> Iterator[Notice]:
    if today > ends:
        yield Notice(level="error", field=field, text=f"{what} ended on {ends}{after} ({source}); {fix}")
    elif ends - today <= WARNING:
        yield Notice(level="warning", field=field, text=f"{what} ends on {ends}{after} ({source}); before that {fix}")


def _one_of(versions: list[str]) -> str:
    return " or ".join(versions)
