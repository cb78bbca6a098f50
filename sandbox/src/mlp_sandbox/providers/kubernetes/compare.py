"""Differences between two versions of an object's inputs."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from kubernetes.utils.quantity import parse_quantity

from mlp_sandbox.providers.kubernetes.paths import Path
from mlp_sandbox.providers.values import Unknown

# Maps whose values are quantities (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/).
QUANTITY_MAPS = frozenset(
    {"requests", "limits", "capacity", "allocatable", "hard", "overhead", "podFixed"}
    | {"default", "defaultRequest", "max", "min", "maxLimitRequestRatio"}
)
QUANTITY_FIELDS = frozenset({"sizeLimit"})


def differences(old: Any, new: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield the places that differ, with `add`, `delete` or `update`. A whole new or removed branch is one place."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in old.keys() | new.keys():
            # To the API an empty list is the same as none; an empty map (`podSelector: {}`) has a meaning.
            before, after = (None if each.get(key) == [] else each.get(key) for each in (old, new))
            if before is not None and after is None:
                yield (*path, key), "delete"
            elif before is None and after is not None:
                yield (*path, key), "add"
            elif before is not None:
                yield from differences(before, after, (*path, key))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            if index >= len(new):
                yield (*path, index), "delete"
            elif index >= len(old):
                yield (*path, index), "add"
            else:
                yield from differences(old[index], new[index], (*path, index))
    elif not same(old, new, path):
        yield path, "update"


def same(one: Any, other: Any, path: Path) -> bool:
    """Return whether values are equal, or two notations of one quantity in a place for quantities."""
    if isinstance(one, Unknown) or isinstance(other, Unknown):
        return False
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if one == other:
        return True
    if not _is_quantity(path):
        return False
    a, b = _quantity(one), _quantity(other)
    return a is not None and a == b


def is_empty(value: Any) -> bool:
    """Return whether the API server leaves the value out when it writes an object."""
    return value is None or value is False or (not isinstance(value, bool) and value in (0, "", [], {}))


def _is_quantity(path: Path) -> bool:
    if not path:
        return False
    return path[-1] in QUANTITY_FIELDS or (len(path) > 1 and path[-2] in QUANTITY_MAPS)


def _quantity(value: Any) -> Decimal | None:
    try:
        return parse_quantity(value)
    except (ValueError, TypeError):
        return None
