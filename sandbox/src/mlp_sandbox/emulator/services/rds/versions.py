"""PostgreSQL versions of the emulated RDS, oldest first, and the retired versions among them.

Sources are AWS's calendar of August 2026 and its notices of retired minor versions:
https://docs.aws.amazon.com/AmazonRDS/latest/PostgreSQLReleaseNotes/postgresql-release-calendar.html
"""

_NEWEST_MINOR = {15: 18, 16: 14, 17: 10}
_OLDEST_MINOR = {15: 2, 16: 1, 17: 1}
# Oldest minor of each major that RDS creates since 2026-10-01, when it retired the previous ones.
_OLDEST_CREATED = {15: 15, 16: 11, 17: 7}


def postgres_versions() -> list[str]:
    """Return all full versions, oldest first, including retired ones that instances may still have."""
    return [
        f"{major}.{minor}"
        for major, newest in _NEWEST_MINOR.items()
        for minor in range(_OLDEST_MINOR[major], newest + 1)
    ]


def offered_versions() -> list[str]:
    """Return the full versions that RDS creates and upgrades to, oldest first."""
    return [version for version in postgres_versions() if not is_retired(version)]


def is_retired(version: str) -> bool:
    """Return whether RDS no longer creates a full version."""
    major, _, minor = version.partition(".")
    return minor.isdecimal() and int(minor) < _OLDEST_CREATED.get(int(major), 0)


def family(version: str) -> str:
    """Return the parameter group family of a version."""
    return f"postgres{version.split('.')[0]}"
