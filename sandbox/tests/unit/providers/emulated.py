"""The emulated account in the test process: the emulator answers requests of boto3 clients without a network.

The module serves tests of services that plain moto lacks. Handlers then meet the same API as in the sandbox.
"""

from __future__ import annotations

import io
import os
from collections.abc import Collection, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSResponse, HeadersDict
from moto.core.base_backend import AccountSpecificBackend
from moto.moto_api._internal.models import moto_api_backend

from mlp_sandbox.emulator.late_effects import LateEffects
from mlp_sandbox.emulator.messages import Request
from mlp_sandbox.emulator.service import Service
from mlp_sandbox.providers.aws.resource import Clients, Handler
from sandbox.tests.unit.providers.driver import Life

REGION = "us-east-1"


class Emulated:
    """One account, with `client` and `life` to use it."""

    def __init__(self, home: Path, late: LateEffects | None = None) -> None:
        self.service = Service(home=home, name="unit", dataplanes=False, late=late)
        self.service.start()
        session = boto3.Session("test", "test", region_name=REGION)
        session.events.register("before-send", self._answer)
        self.clients = Clients(REGION, session)

    def client(self, service: str) -> Any:
        return self.clients.get(service)

    def life(self, handler: Handler, unread: Collection[str] = ()) -> Life:
        life = Life(handler, REGION, unread)
        life.aws.clients, life.aws.timeout = self.clients, 10.0
        return life

    def _answer(self, request: Any, **_: Any) -> AWSResponse:
        url = urlsplit(request.url)
        headers = tuple((str(name), _text(value)) for name, value in request.headers.items())
        body = request.body or b""
        reply = self.service.handle(
            Request(
                method=request.method,
                target=url.path + (f"?{url.query}" if url.query else ""),
                headers=(*headers, ("Host", url.netloc)),
                body=body.encode() if isinstance(body, str) else bytes(body),
            )
        )
        return AWSResponse(request.url, reply.status, HeadersDict(dict(reply.headers)), _Raw(reply.body))


class _Raw(io.BytesIO):
    def stream(self, **_: Any) -> Generator[bytes]:
        yield self.read()


@contextmanager
def emulated(home: Path, late: LateEffects | None = None) -> Generator[Emulated]:
    """Yield an account until the block ends; the seeded state of moto's regions ends with it."""
    original = AccountSpecificBackend.__getitem__
    with patch.dict(os.environ, MOTO_IAM_LOAD_MANAGED_POLICIES="true"):
        moto_api_backend.reset()  # moto's state is the process's: that of an account before this one would show
        account = Emulated(home, late)
        try:
            yield account
        finally:
            account.service.close()
            AccountSpecificBackend.__getitem__ = original  # type: ignore[method-assign]


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
