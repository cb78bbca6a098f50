"""The `pulumi.com/` annotations of inputs that control the provider.

https://www.pulumi.com/registry/packages/kubernetes/installation-configuration/ and
https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/
"""

from __future__ import annotations

import json
from typing import Literal

from mlp_sandbox.providers.kubernetes.kinds import Object

AUTONAMED = "pulumi.com/autonamed"
SKIP_AWAIT = "pulumi.com/skipAwait"
WAIT_FOR = "pulumi.com/waitFor"
TIMEOUT_SECONDS = "pulumi.com/timeoutSeconds"
REPLACE_UNREADY = "pulumi.com/replaceUnready"
PATCH_FORCE = "pulumi.com/patchForce"
FIELD_MANAGER = "pulumi.com/patchFieldManager"
DELETION_PROPAGATION = "pulumi.com/deletionPropagationPolicy"

DEFAULT_TIMEOUT = 600.0
Propagation = Literal["Foreground", "Background", "Orphan"]


def annotation(obj: Object, name: str) -> str:
    metadata = obj.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    value = annotations.get(name) if isinstance(annotations, dict) else None
    return value if isinstance(value, str) else ""


def is_set(obj: Object, name: str) -> bool:
    return annotation(obj, name) == "true"


def timeout_of(obj: Object, custom: float) -> float:
    """Return the timeout in seconds: the option custom_timeouts, else the annotation, else ten minutes."""
    if custom:
        return custom
    text = annotation(obj, TIMEOUT_SECONDS)
    return float(text) if text.isdigit() else DEFAULT_TIMEOUT


def propagation_of(obj: Object) -> Propagation:
    match annotation(obj, DELETION_PROPAGATION).lower():
        case "orphan":
            return "Orphan"
        case "background":
            return "Background"
        case _:
            return "Foreground"


def conditions_of(obj: Object) -> list[str]:
    """Return the expressions of the annotation waitFor, which holds one, or a JSON list of several."""
    text = annotation(obj, WAIT_FOR)
    if not text:
        return []
    try:
        several = json.loads(text)
    except ValueError:
        return [text]
    return [str(each) for each in several] if isinstance(several, list) else [text]


def problems(obj: Object) -> list[tuple[str, str]]:
    """Return the annotations with an invalid value, so that they are reported before any request is sent."""
    found = list[tuple[str, str]]()
    text = annotation(obj, TIMEOUT_SECONDS)
    if text and not text.isdigit():
        found.append(("metadata", f"annotation {TIMEOUT_SECONDS}: '{text}' is not a whole number of seconds"))
    policy = annotation(obj, DELETION_PROPAGATION)
    if policy and policy.lower() not in ("orphan", "background", "foreground"):
        reason = f"'{policy}' is not one of foreground, background, orphan"
        found.append(("metadata", f"annotation {DELETION_PROPAGATION}: {reason}"))
    for expression in conditions_of(obj):
        if not expression.startswith(("jsonpath=", "condition=")):
            reason = f"'{expression}' begins with neither 'jsonpath=' nor 'condition='"
            found.append(("metadata", f"annotation {WAIT_FOR}: {reason}"))
    return found
