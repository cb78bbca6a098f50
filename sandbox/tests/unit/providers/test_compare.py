"""Equality of two values of an input."""

from __future__ import annotations

from typing import Any

import pytest

from mlp_sandbox.providers.aws.compare import same
from mlp_sandbox.providers.aws.resource import Field, Kind
from mlp_sandbox.providers.values import UNKNOWN

VPC: dict[str, Any] = {"subnetIds": ["a", "b"], "endpointPublicAccess": True}


@pytest.mark.parametrize(
    ("kind", "wanted", "found"),
    [
        ("plain", {"a": 1}, {"a": "1", "b": 2}),
        ("sets", {"subnetIds": ["b", "a"]}, {"subnetIds": ["a", "b"], "vpcId": "vpc-1"}),
        ("sets", [{"cidrs": ["b", "a"]}], [{"cidrs": ["a", "b"]}]),
        ("exact", {"encrypted": "true", "size": 80.0}, {"encrypted": True, "size": 80}),
        ("exact", {"tags": {}, "name": "", "ids": []}, None),
        ("exact", '{"a": [1, 2], "b": 3}', '{"b":3,"a":[1,2]}'),
    ],
)
def test_these_mean_the_same(kind: Kind, wanted: Any, found: Any) -> None:
    assert same(Field(kind=kind), wanted, found)


@pytest.mark.parametrize(
    ("kind", "wanted", "found"),
    [
        ("plain", {"a": 1}, {"b": 2}),
        ("sets", {"subnetIds": ["a"]}, {"subnetIds": ["a", "b"]}),
        ("exact", {"tags": {"a": "1"}}, {"tags": {"a": "1", "b": "2"}}),
        ("exact", '{"a": [1, 2]}', '{"a": [2, 1]}'),
        ("exact", False, None),
        ("exact", {"id": UNKNOWN}, {"id": UNKNOWN}),
    ],
)
def test_these_do_not(kind: Kind, wanted: Any, found: Any) -> None:
    assert not same(Field(kind=kind), wanted, found)


def test_a_nested_key_left_out_asks_for_its_default() -> None:
    field = Field(kind="sets", nested={"endpointPublicAccess": True})
    assert same(field, {"subnetIds": ["b", "a"]}, VPC)
    assert not same(field, {"subnetIds": ["a", "b"]}, {**VPC, "endpointPublicAccess": False})
