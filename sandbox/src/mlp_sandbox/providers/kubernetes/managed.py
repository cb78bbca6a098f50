"""Owners of the fields of a live object, and the program's inputs as the cluster has them now.

`managedFields` has the keys of each list (containers by name, ports by port and protocol), so that items of other
managers beside the program's own are no drift. The format: `FieldsV1` in
https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mlp_sandbox.providers.kubernetes.compare import is_empty, same
from mlp_sandbox.providers.kubernetes.kinds import Object
from mlp_sandbox.providers.kubernetes.paths import Path

Fields = dict[str, Any]
# Keys that objects leave out because the API has a default for them.
_KEY_DEFAULTS = {"protocol": "TCP"}


def all_fields(live: Object) -> Fields:
    """Merge the trees of all managers, which together describe the object's structure."""
    tree: Fields = {}
    for entry in live.get("metadata", {}).get("managedFields") or []:
        _merge(tree, entry.get("fieldsV1") or {})
    return tree


def is_managed_by(live: Object, manager: str) -> bool:
    return any(entry.get("manager") == manager for entry in live.get("metadata", {}).get("managedFields") or [])


def others_of(live: Object, path: Path, manager: str) -> list[str]:
    """Return the managers except `manager` that own the field at that place, or something in it."""
    found: list[str] = []
    for entry in live.get("metadata", {}).get("managedFields") or []:
        name = str(entry.get("manager"))
        if name != manager and name not in found and _owns(entry.get("fieldsV1") or {}, live, path):
            found.append(name)
    return found


def owns(live: Object, path: Path, manager: str) -> bool:
    """Return whether `manager` owns the field at that place, or something in it."""
    entries = live.get("metadata", {}).get("managedFields") or []
    return any(each.get("manager") == manager and _owns(each.get("fieldsV1") or {}, live, path) for each in entries)


def live_inputs(given: Any, live: Any, before: Any, fields: Fields, path: Path = ()) -> Any:
    """Return the inputs as the cluster has them now; None where they are gone.

    Args:
        given: the inputs.
        live: the live object.
        before: the object after the last deployment. A value that the API server writes in its own way (`1000m` as `1`)
            is compared with it, and an input that the server never returns (`stringData`) is kept.
        fields: the merged fields of all managers.
        path: the place of the values in the object.
    """
    if isinstance(given, dict) and isinstance(live, dict):
        old = before if isinstance(before, dict) else {}
        found = {
            key: live_inputs(value, live.get(key), old.get(key), fields.get(f"f:{key}", {}), (*path, key))
            for key, value in given.items()
        }
        return {key: value for key, value in found.items() if value is not None}
    if isinstance(given, list) and isinstance(live, list):
        return _live_list(given, live, before if isinstance(before, list) else [], fields, path)
    if live is None:
        return given if before is None or is_empty(given) else None
    return given if same(given, live, path) or (before is not None and same(before, live, path)) else live


def _live_list(given: list[Any], live: list[Any], before: list[Any], fields: Fields, path: Path) -> list[Any]:
    if keys := _key_fields(fields):
        return [item for item in _live_keyed(given, live, before, fields, keys, path) if item is not None]
    if any(name.startswith("v:") for name in fields):
        return [item for item in given if item in live]
    if len(given) != len(live):
        return given if live == before else live
    items = (
        live_inputs(item, live[index], before[index] if index < len(before) else None, {}, (*path, index))
        for index, item in enumerate(given)
    )
    return [item for item in items if item is not None]


def _live_keyed(
    given: list[Any], live: list[Any], before: list[Any], fields: Fields, keys: list[str], path: Path
) -> Iterator[Any]:
    found, old = _by_key(live, keys), _by_key(before, keys)
    trees = {tuple(json.loads(name[2:]).get(key) for key in keys): tree for name, tree in _keyed(fields)}
    for index, item in enumerate(given):
        key = _key(item, keys)
        if key in found:
            yield live_inputs(item, found[key], old.get(key), trees.get(key, {}), (*path, index))


def _by_key(items: list[Any], keys: list[str]) -> dict[tuple[Any, ...], Any]:
    return {_key(item, keys): item for item in items if isinstance(item, dict)}


def _key(item: Any, keys: list[str]) -> tuple[Any, ...]:
    return tuple(item.get(key, _KEY_DEFAULTS.get(key)) for key in keys) if isinstance(item, dict) else ()


def _key_fields(fields: Fields) -> list[str]:
    return next((sorted(json.loads(name[2:])) for name, _ in _keyed(fields)), [])


def _keyed(fields: Fields) -> Iterator[tuple[str, Fields]]:
    return ((name, tree) for name, tree in fields.items() if name.startswith("k:"))


def _merge(into: Fields, tree: Fields) -> None:
    for name, below in tree.items():
        _merge(into.setdefault(name, {}), below or {})


def _owns(fields: Fields, obj: Any, path: Path) -> bool:
    if not path:
        return True
    part, rest = path[0], path[1:]
    if isinstance(part, str):
        below = fields.get(f"f:{part}")
        return below is not None and _owns(below, obj.get(part) if isinstance(obj, dict) else None, rest)
    item = obj[part] if isinstance(obj, list) and part < len(obj) else None
    if not isinstance(item, dict):
        return not _key_fields(fields)
    return any(
        _owns(tree, item, rest)
        for name, tree in _keyed(fields)
        if all(item.get(key) == value for key, value in json.loads(name[2:]).items())
    )
