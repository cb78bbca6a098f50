"""Rules for fixed physical names that something outside the program refers to."""

import re

PREFIX_PATTERN = r"[a-z](?:[a-z0-9]|-(?=[a-z0-9])){1,29}"


def check_prefix(prefix: str) -> None:
    """Raise ValueError unless every service accepts the prefix.

    RDS identifiers are the most restrictive: no double dash, no dash at the end.
    """
    if not re.fullmatch(PREFIX_PATTERN, prefix):
        raise ValueError(
            f"prefix must be 2 to 30 characters: lower-case letters, digits and single dashes, "
            f"starting with a letter, such as 'ml-platform-dev'; got {prefix!r}"
        )


def slug(text: str) -> str:
    """Return the part of a resource name that represents a configured name."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower())


def check_unique(field: str, values: tuple[str, ...]) -> None:
    """Raise ValueError for duplicate names, or different names that produce the same resource name.

    The Pulumi engine would reject these later and with a less clear message.
    """
    seen: dict[str, str] = {}
    for value in values:
        other = seen.get(slug(value))
        if other == value:
            raise ValueError(f"{field} names {value} more than once: remove the repetition")
        if other is not None:
            raise ValueError(f"{field}: {other!r} and {value!r} differ in punctuation or case only: rename one of them")
        seen[slug(value)] = value


def distinct_slugs(values: tuple[str, ...]) -> tuple[str, ...]:
    """Check a list of names in the settings: each name must produce a resource name of its own.

    Args:
        values: Configured names.

    Returns:
        The same names.

    Raises:
        ValueError: Two different names produce the same resource name.
    """
    seen: dict[str, str] = {}
    for value in values:
        other = seen.setdefault(slug(value), value)
        if other != value:
            raise ValueError(f"rename one of {other} and {value}, which differ in punctuation or case only")
    return values


def cluster_name(prefix: str) -> str:
    """Return the fixed cluster name. People type it; its log group and its autoscaler tags contain it."""
    return f"{prefix}-eks"
