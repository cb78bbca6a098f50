"""A request as authorisation sees it: the caller, the operation, and parameters that are found by name at any depth."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from mlp_sandbox.emulator.authorization.evaluation import Caller
from mlp_sandbox.emulator.authorization.facts import prefix_of
from mlp_sandbox.emulator.identify import Identity
from mlp_sandbox.emulator.messages import Request

# Branches of a request that do not name the resource that the call is about.
_ELSEWHERE = frozenset({"filter", "filters", "tag", "tags", "tagspecifications", "tagset", "environment", "document"})
_DEPTH = 5


@dataclass(frozen=True)
class AuthorizationRequest:
    """One request with its caller. `params` have the shapes of botocore's model."""

    identity: Identity
    request: Request
    caller: Caller
    params: Mapping[str, Any]

    @property
    def prefix(self) -> str:
        """The prefix of the service's permissions."""
        return prefix_of(self.identity.service)

    @property
    def action(self) -> str:
        """The permission with the same name as the operation."""
        return f"{self.prefix}:{self.identity.operation}"

    def param(self, *names: str) -> str:
        """Return the first value of the first of these parameters that the request has, else an empty string."""
        for name in names:
            for value in self.values(name):
                return value
        return ""

    def values(self, name: str) -> list[str]:
        """Return every value of a parameter. Names match in any case.

        Parameters at the top of the request take precedence over those nested deeper.
        """
        wanted = name.lower()
        return self._top.get(wanted) or self._deep.get(wanted) or []

    def arn(self, resource: str, *, service: str = "", region: str | None = None) -> str:
        """Return an ARN in the account and region of the request."""
        place = self.identity.region if region is None else region
        return f"arn:aws:{service or self.prefix}:{place}:{self.identity.account}:{resource}"

    @cached_property
    def arns(self) -> list[str]:
        """Every ARN that the request names."""
        named = (*self._top.values(), *self._deep.values())
        return [value for values in named for value in values if _is_arn(value)]

    @cached_property
    def _top(self) -> dict[str, list[str]]:
        return {name.lower(): list(_scalars(value)) for name, value in self.params.items()}

    @cached_property
    def _deep(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, value in self.params.items():
            if name.lower() not in _ELSEWHERE:
                _collect(value, found, _DEPTH)
        return found


def having(ask: AuthorizationRequest, **named: str) -> AuthorizationRequest:
    """Return the request with names added that it carries in another form. Empty values are left out."""
    return replace(ask, params={**ask.params, **{name: value for name, value in named.items() if value}})


def _is_arn(value: str) -> bool:
    return value.startswith("arn:") and value.count(":") >= 5


def _scalars(value: Any) -> Iterator[str]:
    for item in value if isinstance(value, list) else [value]:  # pyright: ignore[reportUnknownVariableType]
        if isinstance(item, bool):
            yield str(item).lower()
        elif isinstance(item, str | int | float):
            yield str(item)


def _collect(value: Any, found: dict[str, list[str]], depth: int) -> None:
    if depth == 0:
        return
    if isinstance(value, list):
        for item in value:  # pyright: ignore[reportUnknownVariableType]
            _collect(item, found, depth)
    elif isinstance(value, dict):
        for name, inner in value.items():  # pyright: ignore[reportUnknownVariableType]
            if str(name).lower() in _ELSEWHERE:  # pyright: ignore[reportUnknownArgumentType]
                continue
            found.setdefault(str(name).lower(), []).extend(_scalars(inner))  # pyright: ignore[reportUnknownArgumentType]
            _collect(inner, found, depth - 1)
