"""Physical names for resources that the program does not name, as the official provider makes them."""

from __future__ import annotations

import hashlib

from mlp_sandbox.providers.aws.resource import Handler, Props
from mlp_sandbox.providers.protocol import Naming, Resource

DEFAULTS = "__defaults"  # the official provider's mark for inputs that it filled in itself
PREFIX_RANDOM = 26  # characters that follow a `namePrefix`, as upstream


def with_name(handler: Handler, resource: Resource, old: Props, new: Props, naming: Naming) -> Props:
    """Return the inputs with a physical name.

    A name does not change until the resource is replaced (then `old` is empty).
    """
    auto = handler.autoname
    if auto is None or auto.field in new:
        return new
    if auto.field in old:
        return {**new, auto.field: old[auto.field], DEFAULTS: [auto.field]}
    digest = hashlib.sha256(naming.seed + resource.urn.encode()).hexdigest()
    prefix = new.get(f"{auto.field}Prefix")
    if isinstance(prefix, str):
        return {**new, auto.field: f"{prefix}{digest[:PREFIX_RANDOM]}", DEFAULTS: [auto.field]}
    if naming.disabled:
        return new
    if naming.proposed:
        name = f"{auto.prefix}{naming.proposed}"
    else:
        room = auto.max_length - len(auto.prefix) - 8
        name = f"{auto.prefix}{resource.name[:room]}-{digest[:7]}"
    return {**new, auto.field: name.lower() if auto.lowercase else name, DEFAULTS: [auto.field]}


def is_automatic(handler: Handler, inputs: Props) -> bool:
    return handler.autoname is not None and handler.autoname.field in inputs.get(DEFAULTS, [])
