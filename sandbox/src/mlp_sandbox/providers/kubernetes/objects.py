"""Conversion of an object between the program, the wire, the state, the API server and a preview."""

from __future__ import annotations

import base64
from typing import Any

from mlp_sandbox.providers.kubernetes.kinds import Kind, Object
from mlp_sandbox.providers.kubernetes.paths import parsed, value_at, with_value
from mlp_sandbox.providers.values import UNKNOWN

# Python has no names with dashes: the SDK writes these fields of CustomResourceDefinitions with underscores.
_DASHED = {
    f"x_kubernetes_{name}": f"x-kubernetes-{name.replace('_', '-')}"
    for name in (
        *("embedded_resource", "int_or_string", "list_map_keys", "list_type", "map_type", "preserve_unknown_fields"),
        "validations",
    )
}
_UNDERSCORED = {dashed: name for name, dashed in _DASHED.items()}

SERVER_FIELDS = (
    *("creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "managedFields"),
    *("resourceVersion", "selfLink", "uid"),
)
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
# The API server chooses these values at creation; a dry run's choice differs from the real one.
CHOSEN_ON_CREATE = {
    "Service": ("spec.clusterIP", "spec.clusterIPs", "spec.healthCheckNodePort"),
    "Job": ("spec.selector", "spec.template.metadata.labels"),
}


def to_server(kind: Kind, inputs: Object) -> Object:
    """Return the object to apply: the inputs without the fields that only the API server sets."""
    obj = _renamed({key: value for key, value in inputs.items() if not key.startswith("__")}, _DASHED)
    metadata = {key: value for key, value in obj.get("metadata", {}).items() if key not in SERVER_FIELDS}
    obj.pop("status", None)
    return {**obj, "apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata}


def from_server(obj: Object) -> Object:
    """Return the part of a live object that the state keeps."""
    metadata = {key: value for key, value in obj.get("metadata", {}).items() if key != "managedFields"}
    annotations = metadata.get("annotations", {})
    if LAST_APPLIED in annotations:
        # kubectl's copy of the whole object would expose a Secret's values.
        metadata["annotations"] = {key: value for key, value in annotations.items() if key != LAST_APPLIED}
    return _renamed({**obj, "metadata": metadata}, _UNDERSCORED)


def as_inputs(obj: Object) -> Object:
    """Return the inputs of an object that no program declared: everything that the API server does not set itself."""
    kept = from_server(obj)
    metadata = {key: value for key, value in kept["metadata"].items() if key not in SERVER_FIELDS}
    return {**{key: value for key, value in kept.items() if key != "status"}, "metadata": metadata}


def readable(kind: Kind, obj: Object, inputs: Object) -> Object:
    """Return a Secret with the program's `stringData` texts, which the API server keeps in `data`."""
    if kind.group or kind.name != "Secret" or not isinstance(inputs.get("stringData"), dict):
        return obj
    data = obj.get("data") or {}
    texts = {key: _text(data[key]) for key in inputs["stringData"] if key in data}
    return {**obj, "stringData": texts} if data else obj


def redacted(kind: Kind, inputs: Object, text: str) -> str:
    """Remove the values of a Secret from a message, because the API server quotes them in errors."""
    if kind.group or kind.name != "Secret":
        return text
    for content in (inputs.get("stringData"), inputs.get("data")):
        for value in content.values() if isinstance(content, dict) else ():
            if isinstance(value, str) and value:
                text = text.replace(value, "[secret]")
    return text


def previewed_create(kind: Kind, inputs: Object, tried: Object | None) -> Object:
    """Return the outputs before the object exists; `tried` is the result of a dry run."""
    state = from_server(tried) if tried else dict(inputs)
    metadata = state.get("metadata")
    if isinstance(metadata, dict):
        unknown = dict.fromkeys(("uid", "resourceVersion", "creationTimestamp", "generation"), UNKNOWN)
        state["metadata"] = {**metadata, **unknown}
    for text in CHOSEN_ON_CREATE.get(kind.name, ()) if tried else ():
        if value_at(inputs, parsed(text)) is None:
            state = with_value(state, parsed(text), UNKNOWN)
    if tried and kind.name == "Service":
        state = _without_node_ports(state, inputs)
    return {**state, "status": UNKNOWN}


def previewed_update(inputs: Object, state: Object, tried: Object | None) -> Object:
    """Return the outputs after an update; without a dry run, the inputs override the current state."""
    new = from_server(tried) if tried else _over(state, inputs)
    metadata = new.get("metadata")
    if isinstance(metadata, dict):
        new["metadata"] = {**metadata, "resourceVersion": UNKNOWN, "generation": UNKNOWN}
    return new


def _over(below: Any, above: Any) -> Any:
    if isinstance(below, dict) and isinstance(above, dict):
        return {**below, **{key: _over(below.get(key), value) for key, value in above.items()}}
    return above


def _without_node_ports(state: Object, inputs: Object) -> Object:
    given = [port.get("nodePort") for port in value_at(inputs, ("spec", "ports")) or [] if isinstance(port, dict)]
    for index, port in enumerate(value_at(state, ("spec", "ports")) or []):
        if port.get("nodePort") not in (None, *given):
            state = with_value(state, ("spec", "ports", index, "nodePort"), UNKNOWN)
    return state


def _text(encoded: str) -> str:
    try:
        return base64.b64decode(encoded).decode()
    except ValueError:
        return encoded


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {names.get(key, key): _renamed(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    return value
