"""Rules for the fixed physical names that something outside the program must know."""

import re

PREFIX_PATTERN = r"[a-z](?:[a-z0-9]|-(?=[a-z0-9])){1,29}"


def check_prefix(prefix: str) -> None:
    """Every service must accept it; RDS identifiers are the narrowest (no double dash, no dash at the end)."""
    if not re.fullmatch(PREFIX_PATTERN, prefix):
        raise ValueError(
            f"prefix must be 2 to 30 characters: lower-case letters, digits and single dashes, "
            f"starting with a letter, such as 'ml-platform-dev'; got {prefix!r}"
        )


def check_range(field: str, value: int, low: int, high: int, unit: str = "days") -> None:
    if not low <= value <= high:
        raise ValueError(f"{field} must be {low} to {high} {unit}, got {value}")


def slug(text: str) -> str:
    """The part of a resource's name that stands for a configured name."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower())


def check_unique(field: str, values: tuple[str, ...]) -> None:
    """Also names that differ but would give one resource name: the engine would refuse them later and less clearly."""
    seen: dict[str, str] = {}
    for value in values:
        other = seen.get(slug(value))
        if other == value:
            raise ValueError(f"{field} names {value} more than once: remove the repetition")
        if other is not None:
            raise ValueError(f"{field}: {other!r} and {value!r} differ in punctuation or case only: rename one of them")
        seen[slug(value)] = value


def cluster_name(prefix: str) -> str:
    """Fixed: people type it, and the names of its log group and of its autoscaler's tags follow from it."""
    return f"{prefix}-eks"
