"""Takes a handler through a resource's life against moto in this process, as the provider plugin would.

`Life` calls the handler and compares what it reads with what was asked for, by the rules of `Field`: what the program
leaves out may only be read back as its default, or where AWS is said to choose it.
"""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import pulumi_aws

from sandbox.plugins.aws.resource import Aws, Handler, NotFoundError, Props

EMPTY: tuple[Any, ...] = (None, "", [], {})


@dataclass
class Life:
    handler: Handler
    region: str = "us-east-1"
    unread: Collection[str] = ()  # inputs that plain moto loses; say why where they are named
    created: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.aws = Aws(region=self.region, created=self.created.append)

    def create(self, **inputs: Any) -> str:
        unknown = set(inputs) - set(self.handler.fields)
        assert not unknown, f"{self.handler.token} has no inputs {sorted(unknown)}"
        assert self.handler.check(inputs) == []
        return self.handler.create(self.aws, inputs)

    def read(self, id: str, **inputs: Any) -> Props | None:
        try:
            return self.handler.read(self.aws, id, inputs)
        except NotFoundError:
            return None

    def live(self, id: str, **inputs: Any) -> Props:
        live = self.read(id, **inputs)
        assert live is not None, f"{self.handler.token} {id} is gone"
        return live

    def update(self, id: str, old: Props, new: Props) -> None:
        changed = {key for key in old.keys() | new.keys() if not self._same(key, old.get(key), new.get(key))}
        replaced = {key for key in changed if self.handler.fields[key].replace}
        assert not replaced, f"{sorted(replaced)} would replace {self.handler.token}"
        self.handler.update(self.aws, id, old, new, changed)

    def delete(self, id: str, **state: Any) -> None:
        try:
            self.handler.delete(self.aws, id, state)
        except NotFoundError:
            return

    def drift(self, inputs: Props, live: Props) -> dict[str, tuple[Any, Any]]:
        """Inputs that differ from what was read: name -> (asked, found)."""
        found: dict[str, tuple[Any, Any]] = {}
        for name, rule in self.handler.fields.items():
            if rule.write_only or name in self.unread:
                continue
            asked, actual = inputs.get(name), live.get(name)
            if name not in inputs and (rule.computed or actual in EMPTY or actual == rule.default):
                continue
            if asked in EMPTY and actual in EMPTY:
                continue
            if not self._same(name, asked, rule.default if actual is None else actual):
                found[name] = (asked, actual)
        return found

    def lives(self, inputs: Props, *updates: Props) -> str:
        """Create, read, import, each update (whole new inputs), delete; returns the id it had."""
        id = self.create(**inputs)
        known = inputs
        self._reads_back(id, known)
        for new in updates:
            self.update(id, known, new)
            known = new
            self._reads_back(id, known)
        state = {**known, **self.live(id, **known)}
        self.delete(id, **state)
        assert self.read(id, **known) is None, f"{self.handler.token} {id} outlives its deletion"
        self.delete(id, **state)
        return id

    def _reads_back(self, id: str, inputs: Props) -> None:
        live = self.live(id, **inputs)
        assert self.drift(inputs, live) == {}
        unset = {name for name in self.handler.outputs if name not in live}
        assert not unset, f"{self.handler.token} lacks the outputs {sorted(unset)}"
        stray = set(live) - set(self.handler.fields) - set(self.handler.outputs)
        assert not stray, f"{self.handler.token} reads undeclared properties {sorted(stray)}"
        assert self.drift(inputs, self.live(id)) == {}, "import reads other inputs than those of the deployment"

    def _same(self, name: str, asked: Any, found: Any) -> bool:
        match self.handler.fields[name].kind:
            case "json":
                return _parsed(asked) == _parsed(found)
            case "set":
                return _covers(_ordered(asked), _ordered(found))
            case "map":
                return (asked or {}) == (found or {})
            case _:
                return _covers(asked, found)


def sdk_properties(token: str) -> tuple[set[str], set[str]]:
    """Names of the inputs and of the outputs that the official SDK has for a type."""
    module, name = token.split(":")[1].split("/")[0], token.split(":")[2]
    resource = getattr(getattr(pulumi_aws, module), name)
    names = {
        snake: getter.fget.__dict__.get("_pulumi_name", snake)
        for snake, getter in inspect.getmembers(resource, lambda member: isinstance(member, property))
        if snake not in ("id", "urn", "pulumi_resource_type", "pulumi_resource_name")
    }
    source = ast.parse(inspect.getsource(resource))
    internal = next(
        node for node in ast.walk(source) if isinstance(node, ast.FunctionDef) and node.name == "_internal_init"
    )
    inputs = {argument.arg for argument in internal.args.args + internal.args.kwonlyargs} - {
        *("__self__", "resource_name", "opts", "__props__")
    }
    return {names[snake] for snake in inputs}, set(names.values())


def assert_speaks_the_sdk(handler: Handler) -> None:
    """The handler knows exactly the inputs of the official SDK, and gives no output that the SDK does not have."""
    inputs, outputs = sdk_properties(handler.token)
    assert set(handler.fields) == inputs
    assert set(handler.outputs) <= outputs - inputs
    assert handler.tagged == ("tagsAll" in outputs)
    if handler.autoname:
        assert handler.autoname.field in inputs


def _parsed(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) and value else value


def _ordered(value: Any) -> Any:
    return sorted(value or [], key=lambda item: json.dumps(item, sort_keys=True))


def _covers(asked: Any, found: Any) -> bool:
    """Whether everything asked for is found; what nested objects hold beyond that is the provider's."""
    if isinstance(asked, dict) and isinstance(found, dict):
        return all(_covers(value, found.get(key)) for key, value in asked.items())
    if isinstance(asked, list) and isinstance(found, list):
        return len(asked) == len(found) and all(map(_covers, asked, found))
    return asked == found
