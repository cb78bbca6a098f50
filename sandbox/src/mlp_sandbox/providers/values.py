"""Conversion of Pulumi's wire values to plain Python: unknowns become UNKNOWN, secrets are unwrapped.

The places of secrets are kept, so that they are marked again on the way back. The special signatures are those of the
engine's property marshaller (sdk/go/common/resource/plugin/rpc.go).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final

from google.protobuf import struct_pb2

Props = dict[str, Any]
# Place of a secret: property names from the top, and ANY for every element of a list.
SecretPath = tuple[str, ...]
ANY: Final = "*"

SIGNATURE_KEY: Final = "4dabf18193072939515e22adb298388d"
SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"
UNKNOWN_WIRE: Final = frozenset(
    {
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",  # a string; the engine has one marker per type
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # bool
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)


class Unknown:
    """Value that is known only once another resource exists."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


def has_unknown(value: Any) -> bool:
    if isinstance(value, dict):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in value)
    return isinstance(value, Unknown)


def decode(struct: struct_pb2.Struct) -> Props:
    """Return the property map from the wire without nulls, because to AWS a null input was not given."""
    decoded = {key: _decode(value) for key, value in struct.fields.items()}
    return {key: value for key, value in decoded.items() if value is not None}


def secret_keys(struct: struct_pb2.Struct) -> set[str]:
    """Return the top-level keys that are, or contain, a secret."""
    return {key for key, value in struct.fields.items() if _has_secret(value)}


def secret_paths(struct: struct_pb2.Struct) -> set[SecretPath]:
    """Return the places of the secrets, each as deep as the program made it."""
    return {(key, *path) for key, value in struct.fields.items() for path in _secret_places(value)}


def encode(props: Props, secrets: Collection[SecretPath] = ()) -> struct_pb2.Struct:
    """Return the property map for the wire. A place in `secrets` that the map does not have is ignored."""
    return struct_pb2.Struct(
        fields={
            key: _encode(value, [path[1:] for path in secrets if path[0] == key])
            for key, value in props.items()
            if value is not None
        }
    )


def _decode(value: struct_pb2.Value) -> Any:
    match value.WhichOneof("kind"):
        case "bool_value":
            return value.bool_value
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "string_value":
            return UNKNOWN if value.string_value in UNKNOWN_WIRE else value.string_value
        case "list_value":
            return [_decode(item) for item in value.list_value.values]
        case "struct_value":
            fields = value.struct_value.fields
            signature = fields[SIGNATURE_KEY].string_value if SIGNATURE_KEY in fields else None
            if signature == SECRET_SIGNATURE:
                return _decode(fields["value"])
            if signature is not None:
                raise ValueError(f"assets, archives and resource references are not supported (signature {signature})")
            decoded = {key: _decode(item) for key, item in fields.items()}
            return {key: item for key, item in decoded.items() if item is not None}
        case _:
            return None


def _has_secret(value: struct_pb2.Value) -> bool:
    kind = value.WhichOneof("kind")
    if kind == "list_value":
        return any(_has_secret(item) for item in value.list_value.values)
    if kind == "struct_value":
        fields = value.struct_value.fields
        if SIGNATURE_KEY in fields and fields[SIGNATURE_KEY].string_value == SECRET_SIGNATURE:
            return True
        return any(_has_secret(item) for item in fields.values())
    return False


def _secret_places(value: struct_pb2.Value) -> Iterator[SecretPath]:
    kind = value.WhichOneof("kind")
    if kind == "list_value":
        for item in value.list_value.values:
            yield from ((ANY, *path) for path in _secret_places(item))
    if kind == "struct_value":
        fields = value.struct_value.fields
        if SIGNATURE_KEY in fields:
            if fields[SIGNATURE_KEY].string_value == SECRET_SIGNATURE:
                yield ()
            return
        for key, item in fields.items():
            yield from ((key, *path) for path in _secret_places(item))


def _encode(value: Any, secrets: Collection[SecretPath] = ()) -> struct_pb2.Value:
    if () in secrets:
        return _secret(_encode(value))
    if value is None:
        return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
    if isinstance(value, Unknown):
        return struct_pb2.Value(string_value="04da6b54-80e4-46f7-96ec-b56ff0331ba9")
    if isinstance(value, bool):
        return struct_pb2.Value(bool_value=value)
    if isinstance(value, int | float):
        return struct_pb2.Value(number_value=value)
    if isinstance(value, str):
        return struct_pb2.Value(string_value=value)
    if isinstance(value, list | tuple):
        inside = [path[1:] for path in secrets if path[0] == ANY]
        return struct_pb2.Value(list_value=struct_pb2.ListValue(values=[_encode(item, inside) for item in value]))
    if isinstance(value, dict):
        fields = {key: _encode(item, [path[1:] for path in secrets if path[0] == key]) for key, item in value.items()}
        return struct_pb2.Value(struct_value=struct_pb2.Struct(fields=fields))
    raise TypeError(f"a property value cannot be a {type(value).__name__}: {value!r}")


def _secret(value: struct_pb2.Value) -> struct_pb2.Value:
    signature = struct_pb2.Value(string_value=SECRET_SIGNATURE)
    return struct_pb2.Value(struct_value=struct_pb2.Struct(fields={SIGNATURE_KEY: signature, "value": value}))
