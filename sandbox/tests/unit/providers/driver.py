"""Driver that takes a handler through a resource's life against moto in this process, as the provider plugin would.

`Life` uses the plugin's own rules to compare the state that a handler reads with the requested inputs. A life without
drift here is therefore a preview without changes there.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Collection, Iterable
from functools import cache
from typing import Any

import pulumi_aws

from mlp_sandbox.providers.aws.compare import live_inputs, same
from mlp_sandbox.providers.aws.resource import Aws, Clients, Handler, NotFoundError, Props


class Life:
    def __init__(self, handler: Handler, region: str = "us-east-1", unread: Collection[str] = ()) -> None:
        """Take `unread`: inputs that plain moto loses; callers state the reason where they name them."""
        self.handler = handler
        self.unread = unread
        self.created: list[str] = []
        self.aws = Aws(region=region, created=self.created.append, clients=_clients(region))

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
        fields = self.handler.fields
        changed = {name for name in fields if not same(fields[name], new.get(name), old.get(name))}
        changed = {
            name for name in changed if not fields[name].write_only and (name in new or not fields[name].computed)
        }
        replaced = {name for name in changed if fields[name].replace} | self.handler.replaces(old, new, changed)
        assert not replaced, f"{sorted(replaced)} would replace {self.handler.token}"
        assert self.handler.check(new) == []
        self.handler.update(self.aws, id, old, new, changed)

    def delete(self, id: str, **state: Any) -> None:
        try:
            self.handler.delete(self.aws, id, state)
        except NotFoundError:
            return

    def lives(self, inputs: Props, *updates: Props) -> str:
        """Create, read, import, apply each update (whole new inputs) and delete; returns the id of the resource."""
        id, known = self.create(**inputs), inputs
        self.reads_back(id, known)
        for new in updates:
            self.update(id, known, new)
            known = new
            self.reads_back(id, known)
        state = {**self.live(id, **known), **known}
        self.delete(id, **state)
        assert self.read(id, **known) is None, f"{self.handler.token} {id} outlives its deletion"
        self.delete(id, **state)
        return id

    def reads_back(self, id: str, inputs: Props) -> None:
        """Assert no drift, an import with the same inputs, all outputs set, and no undeclared properties."""
        live = self.live(id, **inputs)
        assert self._seen(live_inputs(self.handler, inputs, live)) == self._seen(inputs)
        unset = {name for name in self.handler.outputs if name not in live}
        assert not unset, f"{self.handler.token} lacks the outputs {sorted(unset)}"
        stray = set(live) - set(self.handler.fields) - set(self.handler.outputs)
        assert not stray, f"{self.handler.token} reads undeclared properties {sorted(stray)}"
        blind = self.live(id)
        imported = self._seen(live_inputs(self.handler, {}, blind))
        for name, field in self.handler.fields.items():
            if field.write_only or name in self.unread:
                continue
            found = blind.get(name) if field.computed else imported.get(name)
            if name in inputs:
                assert same(field, inputs[name], found), f"import of {name}: {inputs[name]!r} became {found!r}"
            else:
                assert name not in imported, f"import invents {name} = {found!r}"

    def _seen(self, inputs: Props) -> Props:
        return {name: value for name, value in inputs.items() if name not in self.unread}


def sdk_properties(token: str) -> tuple[set[str], set[str]]:
    """Return the names of the inputs and outputs of a type in the official SDK."""
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
    """Assert that the handler has exactly the SDK's inputs, and no output that the SDK lacks."""
    inputs, outputs = sdk_properties(handler.token)
    assert set(handler.fields) == inputs
    assert set(handler.outputs) <= outputs - inputs
    assert handler.tagged == ("tagsAll" in outputs)
    if handler.autoname:
        assert handler.autoname.field in inputs


def replaced_inputs(handlers: Iterable[Handler]) -> dict[str, set[str]]:
    """Return, for each type, the inputs whose change replaces the resource."""
    return {
        handler.token.split(":")[2]: {name for name, field in handler.fields.items() if field.replace}
        for handler in handlers
    }


@cache
def _clients(region: str) -> Clients:
    """Return one set of clients for all tests; creating a client takes longer than most tests.

    moto intercepts their requests whenever it is active.
    """
    return Clients(region)
