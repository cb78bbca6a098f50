"""Fit of a pod on a node: requests, node selector, required node affinity and taints.

The functions are pure, and their messages are those of Kubernetes.
https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/ and .../taint-and-toleration/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from .objects import Json, Node, Pod, Resources, Taint

SELECTOR = "node(s) didn't match Pod's node affinity/selector"


def why_not(pod: Pod, node: Node, free: Resources) -> str | None:
    """Return the first reason why a pod does not fit on a node with these free resources, or None if it fits."""
    return why_not_placed(pod, node) or lacking(pod.requests, free)


def why_not_placed(pod: Pod, node: Node) -> str | None:
    """Return the reason why a pod may not be placed on a node, regardless of free resources, or None if it may."""
    for taint in node.taints:
        if taint.effect in ("NoSchedule", "NoExecute") and not tolerated(taint, pod.spec.get("tolerations") or []):
            return f"node(s) had untolerated taint {{{taint.key}: {taint.value}}}"
    selector: Mapping[str, str] = pod.spec.get("nodeSelector") or {}
    if any(node.labels.get(key) != value for key, value in selector.items()):
        return SELECTOR
    affinity: Json = (pod.spec.get("affinity") or {}).get("nodeAffinity") or {}
    required: Json | None = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if required and not any(_term_matches(term, node) for term in required.get("nodeSelectorTerms") or []):
        return SELECTOR
    return None


def lacking(requests: Resources, free: Resources) -> str | None:
    for name, amount in sorted(requests.items()):
        if amount > free.get(name, Decimal(0)):
            return "Too many pods" if name == "pods" else f"Insufficient {name}"
    return None


def tolerated(taint: Taint, tolerations: Iterable[Json]) -> bool:
    for each in tolerations:
        key = each.get("key") or ""
        operator = each.get("operator") or "Equal"
        effect_fits = each.get("effect") in (None, "", taint.effect)
        value_fits = operator == "Exists" or (key != "" and (each.get("value") or "") == taint.value)
        if effect_fits and value_fits and key in ("", taint.key):
            return True
    return False


def taken(pods: Iterable[Pod]) -> dict[str, Decimal]:
    """Return the sum of the requests of pods that have not ended."""
    total: dict[str, Decimal] = {}
    for pod in pods:
        if pod.occupies:
            for name, amount in pod.requests.items():
                total[name] = total.get(name, Decimal(0)) + amount
    return total


def less(amounts: Resources, used: Resources) -> dict[str, Decimal]:
    return {name: amount - used.get(name, Decimal(0)) for name, amount in amounts.items()}


def _term_matches(term: Json, node: Node) -> bool:
    """Return True if a node matches a selector term. An empty term matches nothing."""
    expressions: list[Json] = term.get("matchExpressions") or []
    fields: list[Json] = term.get("matchFields") or []
    if not expressions and not fields:
        return False
    return all(_expression_matches(each, node.labels) for each in expressions) and all(
        _expression_matches(each, {"metadata.name": node.name}) for each in fields
    )


def _expression_matches(expression: Json, labels: Mapping[str, str]) -> bool:
    operator: str = expression["operator"]
    value = labels.get(expression["key"])
    values: list[str] = expression.get("values") or []
    if operator == "Exists":
        return value is not None
    if operator == "DoesNotExist":
        return value is None
    if operator == "In":
        return value in values
    if operator == "NotIn":
        return value not in values
    try:
        number, limit = int(value or ""), int(values[0])
    except (ValueError, IndexError):
        return False
    return number > limit if operator == "Gt" else operator == "Lt" and number < limit
