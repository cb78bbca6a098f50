"""Messages of a provider plugin to the user, sent through the log of the engine that started it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, cast

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

LOG_SECONDS = 2.0


class EngineLog:
    """Log of the engine at the address that it passes to a provider at its start."""

    def __init__(self, address: str) -> None:
        self._engine = engine_pb2_grpc.EngineStub(grpc.insecure_channel(address))

    def progress(self, urn: str, text: str) -> None:
        severity = cast(Any, engine_pb2.LogSeverity).INFO
        self._send(engine_pb2.LogRequest(severity=severity, message=text, urn=urn, ephemeral=True))

    def warn(self, urn: str, text: str) -> None:
        severity = cast(Any, engine_pb2.LogSeverity).WARNING
        self._send(engine_pb2.LogRequest(severity=severity, message=text, urn=urn))

    def _send(self, request: Any) -> None:
        with suppress(grpc.RpcError):  # the resource must still be made when the engine cannot show a message
            self._engine.Log(request, timeout=LOG_SECONDS)
