"""Errors in the wire format of the request's service, so that every AWS SDK raises them by their code.

The SDKs never retry status 501 and 400. They would retry a 500 or an HTML page, for minutes.
"""

import json
import struct
import warnings

from moto.core.model import OperationModel
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model

from mlp_sandbox.emulator.identify import Identity, known_services
from mlp_sandbox.emulator.messages import Reply

NOT_IMPLEMENTED = "NotImplemented"
INTERNAL_FAILURE = "InternalFailure"


class Fault(Exception):
    """An error reply of an operation: AWS error code, message and HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


def not_implemented(identity: Identity) -> Fault:
    """Return the fault for an operation that is not implemented."""
    what = identity.operation or "a request that matches no operation"
    return Fault(
        NOT_IMPLEMENTED,
        f"{identity.service}: {what} is not emulated by the local AWS account. Do not retry; "
        "the emulator's table of limits lists what is known to be missing.",
        501,
    )


def internal_failure(identity: Identity, error: BaseException) -> Fault:
    """Return the fault for an operation that crashed."""
    return Fault(
        INTERNAL_FAILURE,
        f"{identity.service}: {identity.operation or 'unknown operation'} failed inside the local AWS account "
        f"({type(error).__name__}: {error}). Do not retry; the traceback is in the emulator's log.",
        501,
    )


def fault_reply(identity: Identity, fault: Fault) -> Reply:
    """Encode a fault in the protocol of the request's service."""
    if identity.protocol == "smithy-rpc-v2-cbor":
        return _reply(fault, {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}, _cbor(fault))
    if identity.service not in known_services():
        body = json.dumps({"__type": fault.code, "message": fault.message})
        return _reply(fault, {"Content-Type": "application/x-amz-json-1.1", "X-Amzn-Errortype": fault.code}, body)
    model = get_service_model(identity.service)
    serializer = get_serializer_class(identity.service, identity.protocol)(operation_model=OperationModel({}, model))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # moto warns of codes that the service's model does not list
        serialized = serializer.serialize(fault)
    headers = {str(name): str(value) for name, value in serialized["headers"].items()}
    return _reply(fault, headers, serialized["body"])


def _reply(fault: Fault, headers: dict[str, str], body: str | bytes) -> Reply:
    content = body.encode() if isinstance(body, str) else body
    headers = {"x-amzn-RequestId": "00000000-0000-0000-0000-000000000000", **headers}
    return Reply(status=fault.status, headers=tuple(headers.items()), body=content)


def _cbor(fault: Fault) -> bytes:
    def text(value: str) -> bytes:
        raw = value.encode()
        return b"\x79" + struct.pack(">H", len(raw)) + raw

    return b"\xa2" + text("__type") + text(fault.code) + text("message") + text(fault.message[:60000])
