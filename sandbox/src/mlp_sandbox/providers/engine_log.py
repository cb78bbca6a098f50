"""What a provider plugin tells the user while it works, by the log of the engine that started it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, cast

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

LOG_SECONDS = 2.0


class EngineLog:
    """The engine's log, at the address that it starts a provider with."""

    def __init__(self, address: str) -> None:
        self._engine = engine_pb2_grpc.EngineStub(grpc.insecure_channel(address))

    def progress(self, urn: str, text: str) -> None:
        severity = cast(Any, engine_pb2.LogSeverity).INFO
        self._send(engine_pb2.LogRequest(severity=severity, message=text, urn=urn, ephemeral=True))

    def warn(self, urn: str, text: str) -> None:
        severity = cast(Any, engine_pb2.LogSeverity).WARNING
        self._send(engine_pb2.LogRequest(severity=severity, message=text, urn=urn))

    def _send(self, request: Any) -> None:
        with suppress(grpc.RpcError):  # an engine that cannot show it still wants the resource
            self._engine.Log(request, timeout=LOG_SECONDS)
