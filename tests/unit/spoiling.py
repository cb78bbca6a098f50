"""Valid settings with one invalid value, for tests of the messages."""

from __future__ import annotations

import copy
from typing import Any

DELETE = object()


def spoil(sound: dict[str, Any], *changes: tuple[str, object]) -> dict[str, Any]:
    """Return a copy with dotted fields set to other values, or deleted."""
    settings = copy.deepcopy(sound)
    for path, value in changes:
        *sections, field = path.split(".")
        section = settings
        for name in sections:
            section = section.setdefault(name, {})
        if value is DELETE:
            del section[field]
        else:
            section[field] = copy.deepcopy(value)
    return settings
