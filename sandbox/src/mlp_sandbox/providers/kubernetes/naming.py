"""Names and namespaces that the program leaves out, and the field manager that applies an object."""

from __future__ import annotations

import hashlib
from typing import Any

from mlp_sandbox.providers.kubernetes.annotations import AUTONAMED, FIELD_MANAGER, annotation, is_set
from mlp_sandbox.providers.kubernetes.kinds import Object
from mlp_sandbox.providers.protocol import Naming, ProviderError, Resource
from mlp_sandbox.providers.values import Unknown

MANAGER_PREFIX = "pulumi-kubernetes-"
MANAGER_KEY = "__fieldManager"  # its key in the state, as in the official provider
RANDOM_DIGITS = 7


def with_name(r: Resource, old: Object, new: Object, naming: Naming) -> Object:
    """Return the inputs with `metadata.name`.

    An automatic name does not change until the object is replaced (then `old` is empty).
    """
    metadata = new.get("metadata", {})
    if isinstance(metadata, Unknown) or metadata.get("name"):
        return new
    if metadata.get("generateName"):
        raise ProviderError(
            f"{r.type} {r.name}: metadata.generateName cannot be used with server-side apply; leave metadata.name out "
            "to get an automatic name, or set it"
        )
    if old:
        kept = old.get("metadata", {}).get("name")
        return _named(new, metadata, kept, automatic=is_set(old, AUTONAMED)) if kept else new
    if naming.disabled:
        raise ProviderError(f"{r.type} {r.name}: automatic names are disabled in this project: set metadata.name")
    digest = hashlib.sha256(naming.seed + r.urn.encode()).hexdigest()
    return _named(new, metadata, naming.proposed or f"{r.name}-{digest[:RANDOM_DIGITS]}", automatic=True)


def with_namespace(new: Object, namespace: str) -> Object:
    metadata = new.get("metadata", {})
    if not namespace or isinstance(metadata, Unknown) or metadata.get("namespace"):
        return new
    return {**new, "metadata": {**metadata, "namespace": namespace}}


def is_automatic(inputs: Object) -> bool:
    return is_set(inputs, AUTONAMED)


def field_manager(r: Resource, inputs: Object, state: Object) -> str:
    """Return a name that stays the same for a resource's whole life, even after a run that could not save its state."""
    kept = annotation(inputs, FIELD_MANAGER) or state.get(MANAGER_KEY)
    return str(kept or f"{MANAGER_PREFIX}{hashlib.sha256(r.urn.encode()).hexdigest()[:8]}")


def _named(new: Object, metadata: dict[str, Any], name: str, *, automatic: bool) -> Object:
    named = {**metadata, "name": name}
    annotations = metadata.get("annotations", {})
    if automatic and not isinstance(annotations, Unknown):
        named["annotations"] = {**annotations, AUTONAMED: "true"}
    return {**new, "metadata": named}
