"""An object between the program, the wire and the API server: names of fields, what the state keeps, what a preview
does not know yet."""

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
# The API server chooses them when the object is made: a dry run's choice is not the one that will be.
CHOSEN_ON_CREATE = {
    "Service": ("spec.clusterIP", "spec.clusterIPs", "spec.healthCheckNodePort"),
    "Job": ("spec.selector", "spec.template.metadata.labels"),
}


def to_server(kind: Kind, inputs: Object) -> Object:
    """What is applied: the inputs without what only the API server sets."""
    obj = _renamed({key: value for key, value in inputs.items() if not key.startswith("__")}, _DASHED)
    metadata = {key: value for key, value in obj.get("metadata", {}).items() if key not in SERVER_FIELDS}
    obj.pop("status", None)
    return {**obj, "apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata}


def from_server(obj: Object) -> Object:
    """What the state keeps of a live object."""
    metadata = {key: value for key, value in obj.get("metadata", {}).items() if key != "managedFields"}
    annotations = metadata.get("annotations", {})
    if LAST_APPLIED in annotations:
        # kubectl's copy of the whole object: a Secret's values would be readable in it.
        metadata["annotations"] = {key: value for key, value in annotations.items() if key != LAST_APPLIED}
    return _renamed({**obj, "metadata": metadata}, _UNDERSCORED)


def as_inputs(obj: Object) -> Object:
    """The inputs of an object that no program declared: all that is not the API server's."""
    kept = from_server(obj)
    metadata = {key: value for key, value in kept["metadata"].items() if key not in SERVER_FIELDS}
    return {**{key: value for key, value in kept.items() if key != "status"}, "metadata": metadata}


def readable(kind: Kind, obj: Object, inputs: Object) -> Object:
    """A Secret with the texts that the program gave as `stringData`, which the API server keeps in `data`."""
    if kind.group or kind.name != "Secret" or not isinstance(inputs.get("stringData"), dict):
        return obj
    data = obj.get("data") or {}
    texts = {key: _text(data[key]) for key in inputs["stringData"] if key in data}
    return {**obj, "stringData": texts} if data else obj


def redacted(kind: Kind, inputs: Object, text: str) -> str:
    """A message without the values of a Secret, which the API server quotes in refusals."""
    if kind.group or kind.name != "Secret":
        return text
    for content in (inputs.get("stringData"), inputs.get("data")):
        for value in content.values() if isinstance(content, dict) else ():
            if isinstance(value, str) and value:
                text = text.replace(value, "[secret]")
    return text


def previewed_create(kind: Kind, inputs: Object, tried: Object | None) -> Object:
    """Outputs before the object exists; `tried` is what a dry run made of the inputs."""
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
    """Outputs after an update; without a dry run the inputs over what is there now."""
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
