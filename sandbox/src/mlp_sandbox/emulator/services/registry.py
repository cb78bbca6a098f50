"""Registry of extensions: one decorated function adds or corrects an operation, with plain data in and out.

    @extends("kms", "GetKeyRotationStatus")
    def rotation_status(call: Call) -> Result:
        return call.proceed() | {"RotationPeriodInDays": ...}

`call.params` is the request and the returned mapping is the response, both in the shapes of botocore's model. This
module reads and writes the wire format, once for every protocol. `call.proceed()` runs moto. When moto rejects the
request, it raises `UpstreamError`, which passes through to the client.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, TypeAlias
from urllib.parse import urlencode

from botocore.parsers import create_parser
from moto.core.model import OperationModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request as MotoRequest
from moto.core.routing import get_service_router
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model

from mlp_sandbox.emulator.identify import Identity
from mlp_sandbox.emulator.messages import Reply, Request, environ_for

Result: TypeAlias = dict[str, Any]
Extension: TypeAlias = Callable[["Call"], Result]

_extensions: dict[tuple[str, str], Extension] = {}
_PROTOCOL_NAMES = {"smithy-rpc-v2-cbor": "json"}


class UpstreamError(Exception):
    """moto replied with an error, which goes to the client unchanged."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"moto answered {reply.status}: {reply.body[:500]!r}")
        self.reply = reply


class Store:
    """Data that extensions store beside moto's own state, per account, region and kind. A replay rebuilds it."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str, str], dict[str, Any]] = defaultdict(dict)

    def kind(self, account: str, region: str, kind: str) -> dict[str, Any]:
        """Return the stored data of one kind, by identifier. Changes to the mapping are stored."""
        return self._kinds[(account, region, kind)]


class Call:
    """One request to an extended operation."""

    def __init__(
        self, identity: Identity, request: Request, store: Store, upstream: Callable[[Request], Reply]
    ) -> None:
        self.identity, self.request = identity, request
        self._store, self._upstream = store, upstream
        self.model: OperationModel = get_service_model(identity.service).operation_model(identity.operation)
        self.params: Result = parse_request(identity, request, self.model)
        self.unrecorded = False
        """True when an operation changed nothing although it counts as a write. The journal then omits it."""

    def remembered(self, kind: str, *, regional: bool = True) -> dict[str, Any]:
        """Return the data that extensions store of a kind in the account (and region) of this call."""
        return self._store.kind(self.identity.account, self.identity.region if regional else "*", kind)

    def proceed(self, request: Request | None = None) -> Result:
        """Let moto execute the request (or another one in its place) and return its parsed reply.

        Raises:
            UpstreamError: moto rejected the request.
        """
        reply = self._upstream(request or self.request)
        if reply.status >= 400:
            raise UpstreamError(reply)
        parser: Any = create_parser(str(self.model.service_model.protocol))
        response = {"headers": _Headers(reply), "status_code": reply.status, "body": reply.body}
        parsed: Result = parser.parse(response, self.model.output_shape)
        parsed.pop("ResponseMetadata", None)
        return parsed

    def altered(self, *, without: Collection[str] = (), **fields: str) -> Request:
        """Return the request with form fields replaced or left out, for moto to execute in its place."""
        form = {name: values[0] for name, values in self.request.form.items() if name not in without} | fields
        return replace(self.request, body=urlencode(form).encode())

    def reply(self, result: Mapping[str, Any]) -> Reply:
        """Encode the result in the protocol of the request."""
        serializer = get_serializer_class(self.identity.service, self.identity.protocol)(operation_model=self.model)
        serialized = serializer.serialize(dict(result))
        body = serialized["body"]
        headers = {"x-amzn-RequestId": "00000000-0000-0000-0000-000000000000", **serialized["headers"]}
        return Reply(
            status=serialized["status_code"],
            headers=tuple((str(name), str(value)) for name, value in headers.items()),
            body=body.encode() if isinstance(body, str) else bytes(body),
        )


class _Headers(dict[str, str]):
    """Headers for botocore's parsers, which look up names in any case."""

    def __init__(self, reply: Reply) -> None:
        super().__init__({name.lower(): value for name, value in reply.headers})

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return super().__contains__(str(name).lower())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)


def extends(service: str, *operations: str) -> Callable[[Extension], Extension]:
    """Register a function that adds or corrects operations of a service (botocore's names).

    Raises:
        ValueError: The service has no such operation, or the operation is extended twice.
    """

    def register(extension: Extension) -> Extension:
        known: Any = get_service_model(service).operation_names
        for operation in operations:
            if operation not in known:
                raise ValueError(f"{service} has no operation {operation}")
            if (service, operation) in _extensions:
                raise ValueError(f"{service}:{operation} is extended twice")
            _extensions[(service, operation)] = extension
        return extension

    return register


def extension_of(identity: Identity) -> Extension | None:
    """Return the function that answers an operation, or None."""
    return _extensions.get((identity.service, identity.operation))


def extended_operations() -> frozenset[tuple[str, str]]:
    """Return every (service, operation) that is added or corrected."""
    return frozenset(_extensions)


def parse_request(identity: Identity, request: Request, model: OperationModel) -> Result:
    """Return the parameters of a request, in the shapes of botocore's model."""
    raw = MotoRequest(environ_for(request))
    uri_params: dict[str, Any] = {}
    if identity.protocol.startswith("rest"):
        _, uri_params = get_service_router(identity.service).match(raw)
    parser = PROTOCOL_PARSERS[_PROTOCOL_NAMES.get(identity.protocol, identity.protocol)](model, map_type=dict)
    parsed = parser.parse(
        {
            "method": raw.method,
            "values": raw.values,
            "headers": raw.headers,
            "body": raw.get_data(),
            "url_path": raw.path,
            "url_params": uri_params,
        }
    )
    return dict(parsed or {})
