"""Places inside an object, in Pulumi's notation: `spec.ports[0].port`, `metadata.labels["a.b/c"]`."""

from __future__ import annotations

import re
from typing import Any

Path = tuple[str | int, ...]
_PLAIN = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_PART = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+|\*)\]|([^.\[\]]+)')


def written(path: Path) -> str:
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN.fullmatch(part):
            text += f".{part}" if text else part
        else:
            escaped = part.replace("\\", "\\\\").replace('"', '\\"')
            text += f'["{escaped}"]'
    return text


def parsed(text: str) -> Path:
    parts: list[str | int] = []
    for quoted, index, plain in _PART.findall(text):
        parts.append(re.sub(r"\\(.)", r"\1", quoted) if quoted else int(index) if index.isdigit() else index or plain)
    return tuple(parts)


def value_at(obj: Any, path: Path) -> Any:
    """Return the value at that place, or None where there is nothing."""
    for part in path:
        if isinstance(obj, dict):
            obj = obj.get(part)
        elif isinstance(obj, list) and isinstance(part, int) and part < len(obj):
            obj = obj[part]
        else:
            return None
    return obj


def with_value(obj: Any, path: Path, value: Any) -> Any:
    """Return a copy with the value at that place, or without the place for None. Missing places are not made."""
    if not path:
        return value
    part, rest = path[0], path[1:]
    if isinstance(obj, dict) and part in obj:
        changed = with_value(obj[part], rest, value)
        kept = {key: item for key, item in obj.items() if key != part}
        return kept if changed is None else {**obj, part: changed}
    if isinstance(obj, list) and isinstance(part, int) and part < len(obj):
        changed = with_value(obj[part], rest, value)
        return [*obj[:part], *([] if changed is None else [changed]), *obj[part + 1 :]]
    return obj


def put(obj: Any, path: Path, value: Any) -> Any:
    """Return a copy with the value at that place. Missing sections on the way are made, missing list items are not."""
    if not path:
        return value
    part, rest = path[0], path[1:]
    if isinstance(part, str) and (isinstance(obj, dict) or obj is None):
        below: dict[str, Any] = obj or {}
        return {**below, part: put(below.get(part), rest, value)}
    return with_value(obj, path, value)
