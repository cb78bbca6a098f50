"""Fields of an object of Kubernetes, as plain data. A field that is not there or null is empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Object = Mapping[str, Any]


def mapping(of: Object, field: str) -> Object:
    """Return a field that holds a mapping."""
    found: Object | None = of.get(field)
    return found or {}


def items(of: Object, field: str) -> Sequence[Object]:
    """Return a field that holds a list of mappings."""
    found: Sequence[Object] | None = of.get(field)
    return found or ()
