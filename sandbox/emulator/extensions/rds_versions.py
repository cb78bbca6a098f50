"""PostgreSQL versions that the emulated RDS offers (AWS's list of September 2025, oldest first)."""

_NEWEST_MINOR = {15: 14, 16: 10, 17: 6}
_OLDEST_MINOR = {15: 2, 16: 1, 17: 1}


def postgres_versions() -> list[str]:
    """Full versions, oldest first."""
    return [
        f"{major}.{minor}"
        for major, newest in _NEWEST_MINOR.items()
        for minor in range(_OLDEST_MINOR[major], newest + 1)
    ]


def family(version: str) -> str:
    """Parameter group family of a version."""
    return f"postgres{version.split('.')[0]}"
