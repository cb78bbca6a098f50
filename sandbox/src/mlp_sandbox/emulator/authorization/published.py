"""Permissions derived from the data that AWS publishes.

The action has the name of the operation. Its kinds of resource define how to build ARNs from the request.
"""

from collections.abc import Iterator
from itertools import islice, product

from mlp_sandbox.emulator.authorization.documents import Access
from mlp_sandbox.emulator.authorization.facts import ResourceKind, kinds_of
from mlp_sandbox.emulator.authorization.names import ACTIONS, GIVEN_BY_AWS, PARAMETERS
from mlp_sandbox.emulator.authorization.request import AuthorizationRequest

_MOST = 100
"""Limit on the resources of one kind that are evaluated; AWS takes no more names in one call."""


def generic(ask: AuthorizationRequest) -> Iterator[Access]:
    """Yield the permissions of an operation that follow from the data that AWS publishes."""
    for action in ACTIONS.get(ask.action, (ask.action,)):
        yield from on_published_kinds(ask, action)


def on_published_kinds(ask: AuthorizationRequest, action: str) -> Iterator[Access]:
    """Yield an action on every resource that the request names, of the kinds that the action takes.

    A required kind that the request does not name becomes `<kind>/*`, as AWS evaluates a resource that is yet to be
    created. An action without kinds is evaluated on `*`.
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


def arns_of(ask: AuthorizationRequest, kind: ResourceKind) -> list[str]:
    """Return the ARNs of a kind that a request names, either whole or by their parts."""
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


def _values(ask: AuthorizationRequest, placeholder: str) -> list[str]:
    known = PARAMETERS.get((ask.prefix, placeholder), ())
    for name in (*known, placeholder, f"{placeholder}s", f"{placeholder}List"):
        values = [value for value in ask.values(name) if value and not value.startswith("arn:")]
        if values:
            return values
    return []


def any_of(ask: AuthorizationRequest, kind: ResourceKind) -> str:
    return kind.arn(dict.fromkeys(kind.placeholders, "*"), region=ask.identity.region, account=ask.identity.account)
