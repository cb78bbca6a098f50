"""Progress messages while a resource is created, and values that a preview reports as unknown."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2_grpc

from mlp_sandbox.providers.aws.provider import AwsProvider
from mlp_sandbox.providers.engine_log import EngineLog
from mlp_sandbox.providers.protocol import Resource
from mlp_sandbox.providers.values import UNKNOWN

TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"


class _Engine(engine_pb2_grpc.EngineServicer):
    def __init__(self) -> None:
        self.heard: list[Any] = []

    def Log(self, request: Any, context: Any) -> Any:
        self.heard.append(request)
        return empty_pb2.Empty()


@pytest.fixture
def engine() -> Iterator[tuple[str, _Engine]]:
    server, heard = grpc.server(ThreadPoolExecutor(max_workers=1)), _Engine()
    engine_pb2_grpc.add_EngineServicer_to_server(heard, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}", heard
    server.stop(None)


def test_progress_is_shown_beside_its_resource_and_not_kept(engine: tuple[str, _Engine]) -> None:
    address, heard = engine
    EngineLog(address).progress("urn:a", "EKS cluster ml is CREATING (12 s)")
    (message,) = heard.heard
    assert (message.urn, message.message) == ("urn:a", "EKS cluster ml is CREATING (12 s)")
    assert message.ephemeral


def test_an_engine_that_does_not_listen_stops_no_resource() -> None:
    EngineLog("127.0.0.1:1").progress("urn:a", "waiting")


def test_a_preview_of_a_changed_launch_template_does_not_know_its_version() -> None:
    template = Resource(f"urn:pulumi:test::p::{TEMPLATE}::nodes", TEMPLATE, "nodes")
    old = {"name": "nodes", "keyName": "a"}
    state = {**old, "latestVersion": 3, "defaultVersion": 3}
    changed = AwsProvider().update(template, "lt-1", old, state, {"name": "nodes", "keyName": "b"}, preview=True)
    assert changed["latestVersion"] is UNKNOWN
    assert changed["defaultVersion"] == 3
    retagged = AwsProvider().update(template, "lt-1", old, state, {**old, "tags": {"a": "b"}}, preview=True)
    assert retagged["latestVersion"] == 3
