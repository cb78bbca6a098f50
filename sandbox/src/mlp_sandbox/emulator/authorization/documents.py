"""Policy documents: parsed once, then searched for the statements that apply to a permission.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, TypeAlias

from mlp_sandbox.emulator.authorization.conditions import Lookup, as_list, conditions_hold, substitute, wildcard

VARIABLES_SINCE = "2012-10-17"
"""The policy version that introduced variables. Policies of an older version take `${...}` literally."""

Effect: TypeAlias = Literal["Allow", "Deny"]
Names: TypeAlias = Callable[[Any], bool]


class MalformedPolicyError(ValueError):
    """The text is not a policy document; the message gives the reason."""


@dataclass(frozen=True, kw_only=True)
class Access:
    """One permission that a request needs: an action on a resource, with context keys of this permission alone.

    `tags_requested` is true when the tags of the request are meant for this resource.
    """

    action: str
    resource: str = "*"
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    tags_requested: bool = True


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement with its lists unpacked. An element that the statement does not have is None."""

    sid: str
    effect: Effect
    actions: tuple[str, ...]
    not_actions: bool
    resources: tuple[str, ...] | None
    not_resources: bool
    principal: Any
    not_principal: Any
    conditions: Mapping[str, Mapping[str, object]]
    variables: bool

    def applies(self, access: Access, lookup: Lookup) -> bool:
        """Return whether action, resource and conditions match. This ignores the statement's principal."""
        action = access.action.lower()
        if any(wildcard(pattern, action) for pattern in self.actions) == self.not_actions:
            return False
        if self.resources is not None:
            addressed = any(self._addresses(pattern, access.resource, lookup) for pattern in self.resources)
            if addressed == self.not_resources:
                return False
        return not self.conditions or conditions_hold(self.conditions, lookup, variables=self.variables)

    def _addresses(self, pattern: str, resource: str, lookup: Lookup) -> bool:
        known = substitute(pattern, lookup, pattern=True) if self.variables else pattern
        return known is not None and resource_matches(known, resource)


@dataclass(frozen=True, kw_only=True)
class Document:
    """A policy document: its statements in order."""

    statements: tuple[Statement, ...]

    @property
    def denies(self) -> bool:
        """Return whether the document contains an explicit deny."""
        return any(statement.effect == "Deny" for statement in self.statements)

    def matching(self, effect: Effect, access: Access, lookup: Lookup) -> list[Statement]:
        """Return the statements with an effect that apply to a permission."""
        return [item for item in self.statements if item.effect == effect and item.applies(access, lookup)]


def resource_matches(pattern: str, resource: str) -> bool:
    """Match a Resource element. In an ARN, a star does not cross a colon, except in the last part."""
    if pattern == "*":
        return True
    patterns, parts = pattern.split(":", 5), resource.split(":", 5)
    if len(patterns) == len(parts) == 6:
        return all(wildcard(wanted, part) for wanted, part in zip(patterns, parts, strict=True))
    return wildcard(pattern, resource)


@lru_cache(maxsize=4096)
def parse(text: str) -> Document:
    """Parse a policy document.

    The cache is keyed by text: a changed policy is a new entry, so no entry goes stale.

    Raises:
        MalformedPolicyError: The text is not a policy document.
    """
    try:
        content: Any = json.loads(text)
        statements = content["Statement"]
        variables = content.get("Version") == VARIABLES_SINCE
        items = statements if isinstance(statements, list) else [statements]
        return Document(statements=tuple(_statement(item, variables=variables) for item in items))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MalformedPolicyError(f"no policy document ({type(error).__name__}: {error}): {text[:200]}") from None


def _statement(item: Any, *, variables: bool) -> Statement:
    effect = item["Effect"]
    if effect not in {"Allow", "Deny"}:
        raise ValueError(f"Effect is {effect!r}; it must be Allow or Deny")
    resources = item.get("Resource", item.get("NotResource"))
    return Statement(
        sid=str(item.get("Sid", "")),
        effect=effect,
        actions=tuple(name.lower() for name in as_list(item["NotAction"] if "NotAction" in item else item["Action"])),
        not_actions="NotAction" in item,
        resources=None if resources is None else tuple(as_list(resources)),
        not_resources="NotResource" in item,
        principal=item.get("Principal"),
        not_principal=item.get("NotPrincipal"),
        conditions=item.get("Condition") or {},
        variables=variables,
    )
