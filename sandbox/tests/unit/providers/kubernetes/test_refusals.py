"""Messages about the API server's rejections, with the next step for the user."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mlp_sandbox.providers.kubernetes.errors import ApiError, UnreachableError, api_error, explain, is_passing
from mlp_sandbox.providers.kubernetes.kinds import Kind
from mlp_sandbox.providers.kubernetes.objects import redacted
from mlp_sandbox.providers.kubernetes.operations import _may_come, _only_real_run_tells

SERVER = "https://10.0.0.1"


def status(code: int, message: str, reason: str = "", kind: str = "", causes: Any = ()) -> ApiError:
    body = {
        "kind": "Status",
        "code": code,
        "message": message,
        "reason": reason,
        "details": {"kind": kind, "causes": list(causes)},
    }
    return api_error(code, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (status(401, "Unauthorized"), ["https://10.0.0.1 does not accept", "the token has expired", "no access entry"]),
        (
            status(403, 'pods is forbidden: User "a" cannot list resource "pods" in API group ""'),
            ["not allowed (403)", 'User "a" cannot list resource "pods"', "An access policy or an RBAC role"],
        ),
        (
            status(
                422,
                "many",
                "Invalid",
                causes=[
                    {"field": "spec.replicas", "message": "Invalid value: -1: must be positive"},
                    {"field": "spec.template", "message": "Required value"},
                ],
            ),
            ["finds it invalid:\n  spec.replicas: Invalid value: -1", "\n  spec.template: Required value"],
        ),
        (
            status(
                409,
                "Apply failed with 1 conflict",
                "Conflict",
                causes=[
                    {
                        "field": ".spec.replicas",
                        "reason": "FieldManagerConflict",
                        "message": 'conflict with "kubectl" using apps/v1',
                    }
                ],
            ),
            ['.spec.replicas: conflict with "kubectl"', "ignore_changes", 'pulumi.com/patchForce: "true"'],
        ),
        (
            status(
                500, "failed to create typed patch object (a/b; v1, Kind=Pod): .spec.x: field not declared in schema"
            ),
            ["cannot read the object: .spec.x: field not declared in schema"],
        ),
        (
            status(400, 'Pod in version "v1" cannot be handled: strict decoding error: unknown field "spec.x"'),
            ['does not know these fields: unknown field "spec.x"'],
        ),
        (status(404, 'namespaces "x" not found', "NotFound"), ['namespaces "x" not found (404 NotFound)']),
        (UnreachableError("the API server does not answer"), ["the API server does not answer"]),
        (api_error(502, b"<html>bad gateway</html>"), ["bad gateway", "(502)"]),
        (api_error(500, b""), ["HTTP status 500"]),
    ],
)
def test_a_refusal_says_what_and_why_and_what_to_do(error: Exception, said: list[str]) -> None:
    text = explain(error, SERVER)
    for part in said:
        assert part in text


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (status(429, "too many"), True),
        (status(503, "apiserver is shutting down"), True),
        (status(504, "timeout"), True),
        (status(500, "etcdserver: leader changed"), True),
        (status(500, "rpc error: code = Unavailable desc = error reading from server: connection reset by peer"), True),
        (status(500, "rpc error: code = InvalidArgument desc = request is too large"), False),
        (status(500, 'Internal error: failed calling webhook "x": connection refused'), True),
        (status(500, "failed to create typed patch object (a): .x: field not declared in schema"), False),
        (status(500, "failed to create typed patch object (a): .spec.leaderElectionTimeout: no such field"), False),
        (status(409, "conflict"), False),
        (status(403, "forbidden"), False),
    ],
)
def test_a_trouble_that_passes_is_known(error: ApiError, passes: bool) -> None:
    assert is_passing(error) is passes


@pytest.mark.parametrize(
    ("error", "later"),
    [
        (status(404, 'namespaces "x" not found', "NotFound", "namespaces"), True),
        (
            status(403, 'pods "p" is forbidden: looking up service account a/b: serviceaccount "b" not found'),
            True,
        ),
        (status(403, 'pods "p" is forbidden: no PriorityClass with name x was found'), True),
        (status(400, "admission webhook x does not support dry run"), True),
        (status(403, 'pods "p" is forbidden: violates PodSecurity "restricted:latest"'), False),
        (status(403, 'pods "p" is forbidden: exceeded quota: q'), False),
        (status(422, "Invalid"), False),
    ],
)
def test_a_preview_does_not_fail_for_what_the_program_may_make_itself(error: ApiError, later: bool) -> None:
    assert _only_real_run_tells(error) is later


def test_a_namespace_or_account_that_is_being_made_is_waited_for() -> None:
    assert _may_come(status(404, "x", "NotFound", "namespaces"))
    assert _may_come(status(403, 'serviceaccount "b" not found'))
    assert not _may_come(status(403, "violates PodSecurity"))


def test_no_message_quotes_the_values_of_a_secret() -> None:
    inputs = {"stringData": {"a": "geheim"}, "data": {"b": "Z2VoZWlt"}}
    text = 'data[b]: Invalid value: "Z2VoZWlt", stringData[a]: "geheim"'
    assert redacted(Kind("", "v1", "Secret"), inputs, text) == (
        'data[b]: Invalid value: "[secret]", stringData[a]: "[secret]"'
    )
    assert redacted(Kind("", "v1", "ConfigMap"), inputs, text) == text
