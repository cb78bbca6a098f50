"""Secrets in the protocol: each stays a secret where the program declared it."""

from __future__ import annotations

from typing import Any

from google.protobuf import struct_pb2
from google.protobuf.json_format import MessageToDict, ParseDict

from mlp_sandbox.providers.values import ANY, SECRET_SIGNATURE, SIGNATURE_KEY, decode, encode, secret_keys, secret_paths


def secret(value: Any) -> dict[str, Any]:
    return {SIGNATURE_KEY: SECRET_SIGNATURE, "value": value}


def wire(props: dict[str, Any]) -> struct_pb2.Struct:
    return ParseDict(props, struct_pb2.Struct())


SENT = wire({"spec": {"containers": [{"name": "a"}, {"env": [{"value": secret("x")}]}]}, "data": secret({"k": "v"})})


def test_secrets_are_found_at_their_place() -> None:
    assert secret_paths(SENT) == {("spec", "containers", ANY, "env", ANY, "value"), ("data",)}
    assert secret_keys(SENT) == {"spec", "data"}


def test_values_go_and_come_back_with_their_secrets() -> None:
    assert MessageToDict(encode(decode(SENT), secret_paths(SENT))) == MessageToDict(SENT)


def test_a_secret_in_an_element_of_a_list_is_one_in_all_of_them() -> None:
    found = MessageToDict(encode({"l": [{"v": "a", "n": 1}, {"v": "b"}, 3]}, {("l", ANY, "v")}))
    assert found == {"l": [{"v": secret("a"), "n": 1}, {"v": secret("b")}, 3]}


def test_a_secret_around_another_hides_both_and_a_place_that_is_not_there_nothing() -> None:
    assert MessageToDict(encode({"a": {"b": 1}}, {("a",), ("a", "b")})) == {"a": secret({"b": 1})}
    assert MessageToDict(encode({"a": 1}, {("a", "b"), ("c",)})) == {"a": 1}
