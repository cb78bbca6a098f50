"""Handles pass names, addresses and plain values between layers: everything that another stack's outputs can hold."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Awaitable, Iterator, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import pulumi
import pytest
from pydantic import BaseModel

from components.eks.arguments import ClusterHandle
from ml_workloads.deployment.project import WorkloadHandle
from platform_services.handles import PlatformHandle, PlatformOrder
from stacks.foundation import FoundationHandle

PLAIN = (str, int, float, bool, type(None), Ellipsis)
# `pulumi.Input[T]` names its Output in a string, which only Pulumi's own module resolves. T itself stands beside it.
INPUT = {"Output": pulumi.Output, "T": None}
# Settings write their mappings as dict. An Input is a value, an Output of it, or something to await.
HOLDERS = (Union, types.UnionType, tuple, frozenset, dict, Mapping, pulumi.Output, Awaitable)


def foreign(kind: Any, path: str) -> Iterator[str]:
    """Yield each part of a type that is no plain value, frozen dataclass, frozen settings or `pulumi.Output`."""
    origin, parts = get_origin(kind), get_args(kind)
    if kind in PLAIN or origin is Literal:
        return
    if origin is Annotated:
        yield from foreign(parts[0], path)
    elif origin in HOLDERS:
        for part in parts:
            yield from foreign(part, path)
    elif fields := fields_of(kind):
        for name, field in fields.items():
            yield from foreign(field, f"{path}.{name}")
    else:
        yield f"{path}: {kind}"


def fields_of(kind: Any) -> Mapping[str, Any]:
    """Return the types of the fields of a frozen dataclass or of frozen settings, none for any other type."""
    if not isinstance(kind, type):
        return {}
    if issubclass(kind, BaseModel) and kind.model_config.get("frozen"):
        return {name: field.annotation for name, field in kind.model_fields.items()}
    if dataclasses.is_dataclass(kind) and kind.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        hints = get_type_hints(kind, localns=INPUT)
        return {field.name: hints[field.name] for field in dataclasses.fields(kind)}
    return {}


@pytest.mark.parametrize("handle", [FoundationHandle, ClusterHandle, PlatformHandle, WorkloadHandle])
def test_a_handle_holds_nothing_that_only_its_own_program_has(handle: type):
    assert fields_of(handle)
    assert list(foreign(handle, handle.__name__)) == []


@dataclasses.dataclass(frozen=True)
class Inner:
    made: tuple[pulumi.Resource, ...]


class Thawed(BaseModel):
    name: str


@pytest.mark.parametrize(
    "kind",
    [
        pulumi.Resource,
        pulumi.CustomResource | None,
        Mapping[str, pulumi.ComponentResource],
        pulumi.Output[pulumi.Resource],
        pulumi.ResourceHookBinding,
        pulumi.ResourceHook,
        Inner,
        tuple[Inner, ...],
        Thawed,
        list[str],
        Any,
    ],
)
def test_a_planted_field_that_holds_more_is_caught(kind: Any):
    planted = dataclasses.make_dataclass("Planted", [("name", str), ("more", kind)], frozen=True)
    assert [each.partition(":")[0] for each in foreign(planted, "Planted")] == [
        "Planted.more.made" if "Inner" in str(kind) else "Planted.more"
    ]


def test_a_planted_handle_that_can_change_is_caught():
    planted = dataclasses.make_dataclass("Planted", [("name", str)])
    assert len(list(foreign(planted, "Planted"))) == 1


def test_what_does_hold_resources_would_be_caught_as_a_handle():
    assert len(list(foreign(PlatformOrder, "PlatformOrder"))) == len(dataclasses.fields(PlatformOrder))
