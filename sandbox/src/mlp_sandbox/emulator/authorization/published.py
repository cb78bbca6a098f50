"""Permissions that follow from what AWS publishes.

The action is named like the operation, and the kinds of resource that it takes say how to build ARNs from the request.
"""

from collections.abc import Iterator
from itertools import islice, product

from mlp_sandbox.emulator.authorization.asking import Ask
from mlp_sandbox.emulator.authorization.documents import Access
from mlp_sandbox.emulator.authorization.facts import ResourceKind, kinds_of
from mlp_sandbox.emulator.authorization.names import ACTIONS, GIVEN_BY_AWS, PARAMETERS

_MOST = 100
"""How many resources of one kind are looked at; AWS takes no more names in one call."""


def generic(ask: Ask) -> Iterator[Access]:
    """The permissions that follow from what AWS publishes."""
    for action in ACTIONS.get(ask.action, (ask.action,)):
        yield from on_published_kinds(ask, action)


def on_published_kinds(ask: Ask, action: str) -> Iterator[Access]:
    """An action on every resource that the request names of the kinds which the action takes.

    A kind that the action must have and the request does not name stands as `<kind>/*`, as AWS evaluates what is yet
    to be created. An action without kinds is evaluated on `*`.
    """
    kinds = kinds_of(action)
    named = [(kind, arns_of(ask, kind)) for kind in kinds]
    anything = False
    for kind, arns in named:
        wanted = arns or ([any_of(ask, kind)] if kind.required or len(kinds) == 1 else [])
        for arn in wanted:
            anything = True
            yield Access(action=action, resource=arn, tags_requested=kind.request_tags or ask.prefix != "ec2")
    if not anything:
        yield Access(action=action)


def arns_of(ask: Ask, kind: ResourceKind) -> list[str]:
    """ARNs of a kind that a request names, whole or by the parts that they are made of."""
    whole = [arn for arn in ask.arns if kind.describes(arn)]
    if whole:
        return whole[:_MOST]
    parts: list[list[str]] = []
    for placeholder in kind.placeholders:
        values = _values(ask, placeholder)
        if not values and placeholder not in GIVEN_BY_AWS:
            return []
        parts.append(values or ["*"])
    if not parts or all(values == ["*"] for values in parts):
        return []
    made = (dict(zip(kind.placeholders, values, strict=True)) for values in product(*parts))
    return [
        kind.arn(values, region=ask.identity.region, account=ask.identity.account) for values in islice(made, _MOST)
    ]


def _values(ask: Ask, placeholder: str) -> list[str]:
    known = PARAMETERS.get((ask.prefix, placeholder), ())
    for name in (*known, placeholder, f"{placeholder}s", f"{placeholder}List"):
        values = [value for value in ask.values(name) if value and not value.startswith("arn:")]
        if values:
            return values
    return []


def any_of(ask: Ask, kind: ResourceKind) -> str:
    return kind.arn(dict.fromkeys(kind.placeholders, "*"), region=ask.identity.region, account=ask.identity.account)
