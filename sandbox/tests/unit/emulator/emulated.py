"""The whole emulator inside the test process: boto3 clients whose requests it answers without a network."""

import io
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.validate import ParamValidator
from moto.core.base_backend import BackendDict

from mlp_sandbox.contracts.desired import ClusterDataPlane, ClusterStatus, EksCluster, PodIdentity
from mlp_sandbox.emulator import clusters
from mlp_sandbox.emulator.identify import identify
from mlp_sandbox.emulator.late_effects import LateEffects
from mlp_sandbox.emulator.messages import Reply, Request
from mlp_sandbox.emulator.service import Service
from mlp_sandbox.emulator.services.registry import Call, Result

ACCOUNT, REGION = "123456789012", "us-east-1"
CONFIG = Config(retries={"max_attempts": 0}, parameter_validation=True)
AUTHORITY = "-----BEGIN CERTIFICATE-----\n"


class Plane:
    """A data plane stub that records the requested state and gives the answers that a test sets."""

    def __init__(self) -> None:
        self.asked: list[list[EksCluster]] = []
        self.answers: dict[str, ClusterStatus] = {}
        self.pods: dict[str, PodIdentity] = {}

    def reconcile(self, desired: Sequence[EksCluster]) -> None:
        self.asked.append(list(desired))

    def asked_until(self, fits: Callable[[EksCluster], bool]) -> EksCluster:
        """Wait until the single requested cluster meets the condition, and return it; a thread sends the requests."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if self.asked and len(self.asked[-1]) == 1 and fits(self.asked[-1][0]):
                return self.asked[-1][0]
            time.sleep(0.01)
        raise AssertionError(f"the data plane was not asked for such a cluster, but for {self.asked[-1:]}")

    def status(self, cluster_id: str) -> ClusterStatus:
        return self.answers.get(cluster_id, ClusterStatus(state="creating"))

    def verify_pod_token(self, cluster_id: str, token: str) -> PodIdentity | None:
        return self.pods.get(token)

    def abandon(self) -> None:
        """Do nothing: there are no processes."""

    def close(self) -> None:
        """Do nothing: there are no processes."""


@dataclass
class Emulated:
    """One account under one home; `exercised` records the extended operations whose answers were checked."""

    home: Path
    plane: ClusterDataPlane | None = None
    late: LateEffects | None = None
    service: Service = field(init=False)

    def start(self) -> "Emulated":
        BackendDict.reset()
        # The routes of S3 are made now and kept: a client of S3 in this process takes the buckets out of their paths.
        identify(Request(method="GET", target="/", headers=(), body=b""))
        self.service = Service(home=self.home, name="test", dataplanes=False, late=self.late)
        if self.plane is not None and clusters.CURRENT is not None:
            clusters.CURRENT.register(self.plane)
        self.service.start()
        return self

    def restart(self) -> "Emulated":
        """Drop all state but the journal, and start again."""
        self.service.close()
        return self.start()

    @property
    def journal_lines(self) -> int:
        return len((self.home / "journal" / "journal.jsonl").read_bytes().splitlines())

    def client(self, name: str, key: str = "sandbox", secret: str = "sandbox", token: str | None = None) -> Any:
        client: Any = boto3.client(  # pyright: ignore[reportCallIssue, reportUnknownVariableType]
            name,  # pyright: ignore[reportArgumentType]
            endpoint_url="http://127.0.0.1:4566",
            region_name=REGION,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=CONFIG,
        )
        client.meta.events.register("before-send", self._send)
        return client

    def post(self, path: str, content: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Send a POST request to the emulator, as a cluster's API server does."""
        body = json.dumps(content).encode()
        request = Request(method="POST", target=path, headers=(("Content-Type", "application/json"),), body=body)
        reply = self.service.handle(request)
        return reply.status, json.loads(reply.body)

    def _send(self, request: Any, **_: Any) -> AWSResponse:
        parts = urlsplit(request.url)
        body = request.body or b""
        body = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else body.read()
        headers = {str(name): _text(value) for name, value in request.headers.items()} | {"Host": parts.netloc}
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        reply: Reply = self.service.handle(
            Request(method=request.method, target=target, headers=tuple(headers.items()), body=body)
        )
        return AWSResponse(request.url, reply.status, dict(reply.headers), _Raw(reply.body))


class _Raw(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


class Shapes:
    """Checker of every extension answer against botocore's model; unknown members are errors."""

    def __init__(self) -> None:
        self.exercised: set[tuple[str, str]] = set()
        self.problems: list[str] = []
        self._reply = Call.reply

    def install(self, monkeypatch: Any) -> "Shapes":
        shapes = self

        def reply(call: Call, result: Result) -> Reply:
            name = (call.identity.service, call.identity.operation)
            shapes.exercised.add(name)
            if call.model.output_shape is not None:
                report: Any = ParamValidator().validate(result, call.model.output_shape)
                if report.has_errors():
                    shapes.problems.append(f"{name}: {report.generate_report()}")
            return shapes._reply(call, result)

        monkeypatch.setattr(Call, "reply", reply)
        return self
