"""End of support of versions, evaluated on fixed days."""

from datetime import date, timedelta

import pytest

from components.eks.versions import MINORS
from components.support_dates import (
    KUBERNETES,
    POSTGRES,
    POSTGRES_MINORS,
    POSTGRES_NEWEST,
    kubernetes_notices,
    postgres_notices,
)


def kubernetes(version: str, day: date, policy: str = "standard") -> tuple[str, str] | None:
    found = [(each.level, each.text) for each in kubernetes_notices("cluster.version", version, policy, day)]
    assert len(found) <= 1
    return found[0] if found else None


def postgres(version: str, day: date) -> tuple[str, str] | None:
    found = [(each.level, each.text) for each in postgres_notices("database.engine_version", version, day)]
    assert len(found) <= 1
    return found[0] if found else None


@pytest.mark.parametrize(
    ("day", "level"),
    [
        (date(2027, 6, 2), None),  # 61 days before
        (date(2027, 6, 3), "warning"),
        (date(2027, 8, 2), "warning"),
        (date(2027, 8, 3), "error"),
        (date(2030, 1, 1), "error"),
    ],
)
def test_standard_support_of_kubernetes_is_told_60_days_before_and_refused_after(day: date, level: str | None):
    found = kubernetes("1.36", day)
    assert (found[0] if found else None) == level


def test_the_message_names_version_date_source_and_what_to_write():
    assert kubernetes("1.34", date(2026, 11, 30)) == (
        "warning",
        "Amazon EKS's standard support of Kubernetes 1.34 ends on 2026-12-02, and EKS then upgrades the control plane "
        "by itself (https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html); before that write 1.35 "
        "or 1.36, one minor after the other",
    )
    said = postgres("15.14", date(2026, 11, 30))
    assert said == (
        "error",
        "Amazon RDS creates PostgreSQL 15.14 no more from 2026-10-01 on, and upgrades those that there are after "
        "2026-10-31 (https://docs.aws.amazon.com/AmazonRDS/latest/PostgreSQLReleaseNotes/"
        "postgresql-release-calendar.html); write 15.18 or 16.14 or 17.10 or 18.4",
    )


@pytest.mark.parametrize(
    ("day", "level", "words"),
    [
        (date(2026, 7, 29), None, ""),
        (date(2026, 11, 30), "warning", "is in extended support since 2026-07-29, at a higher price"),
        (date(2027, 7, 1), "warning", "extended support of Kubernetes 1.33 ends on 2027-07-29"),
        (date(2027, 7, 30), "error", "extended support of Kubernetes 1.33 ended on 2027-07-29"),
    ],
)
def test_who_chose_extended_support_is_refused_at_its_end(day: date, level: str | None, words: str):
    found = kubernetes("1.33", day, "extended")
    assert (found[0] if found else None) == level
    assert words in (found[1] if found else "")


@pytest.mark.parametrize(
    ("version", "day", "level"),
    [
        ("15.14", date(2026, 8, 1), None),
        ("15.14", date(2026, 8, 2), "warning"),
        ("15.14", date(2026, 9, 30), "warning"),
        ("15.14", date(2026, 10, 1), "error"),
        ("15.13", date(2026, 10, 1), "error"),
        ("15.12", date(2026, 9, 30), "error"),
        ("15.2", date(2026, 9, 30), "error"),
        ("15.15", date(2026, 11, 30), None),
        ("18.1", date(2026, 11, 30), None),
        ("14.23", date(2026, 12, 29), None),
        ("14.23", date(2026, 12, 30), "warning"),
        ("14.23", date(2027, 3, 1), "warning"),
        ("14.23", date(2030, 3, 1), "error"),
    ],
)
def test_minor_versions_of_postgres_go_before_their_major(version: str, day: date, level: str | None):
    found = postgres(version, day)
    assert (found[0] if found else None) == level


def test_what_aws_has_announced_nothing_about_is_not_judged():
    assert postgres("19.1", date(2040, 1, 1)) is None
    assert kubernetes("1.99", date(2040, 1, 1)) is None


def test_the_tables_are_in_order_and_speak_of_the_same_versions():
    assert tuple(KUBERNETES) == MINORS
    assert list(POSTGRES) == list(POSTGRES_NEWEST)
    for support in (*KUBERNETES.values(), *POSTGRES.values()):
        assert support.standard + timedelta(days=360) < support.extended
    for major, retired in POSTGRES_MINORS.items():
        assert [each.last for each in retired] == sorted(each.last for each in retired)
        assert [each.no_new for each in retired] == sorted(each.no_new for each in retired)
        assert all(each.no_new < each.ends for each in retired)
        assert int(POSTGRES_NEWEST[major].partition(".")[2]) > retired[-1].last
