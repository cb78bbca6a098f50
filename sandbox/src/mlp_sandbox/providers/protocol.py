"""Pulumi resource provider over gRPC, for providers written as plain Python functions on plain values.

It uses the SDK's protocol classes and not `pulumi.provider.experimental`. That server passes on neither old inputs in
diffs nor proposed names, and cannot report a resource that was created but not finished.
Protocol: https://github.com/pulumi/pulumi/blob/master/proto/pulumi/provider.proto
"""

from __future__ import annotations

import sys
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, ClassVar, NoReturn, Protocol, TypeVar, cast

import grpc
from google.protobuf import empty_pb2
from google.rpc import code_pb2, status_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from mlp_sandbox import serving
from mlp_sandbox.providers.engine_log import EngineLog
from mlp_sandbox.providers.values import Props, SecretPath, decode, encode, secret_keys, secret_paths

WORKERS = 32


class ProviderError(Exception):
    """Error that the user sees as it is, without a traceback."""


class PartialFailureError(ProviderError):
    """The resource exists but is not in the requested condition: it goes into the state with the reason."""

    def __init__(self, id: str, inputs: Props, state: Props, reason: str) -> None:
        super().__init__(reason)
        self.id, self.inputs, self.state, self.reason = id, inputs, state, reason


@dataclass(frozen=True)
class Change:
    """Kind of change of one input: `add`, `delete` or `update`; `replace` when it forces a new resource."""

    kind: str
    replace: bool = False


@dataclass(frozen=True)
class Diff:
    """Changes by property path: the name of a top-level input, or a place inside it (`spec.ports[0].port`)."""

    changes: dict[str, Change] = field(default_factory=dict)
    delete_before_replace: bool = False


@dataclass(frozen=True)
class Resource:
    """The resource that a call is about. `ignored` are the property paths of its option ignore_changes."""

    urn: str
    type: str
    name: str
    timeout: float = 0.0
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True)
class Naming:
    """The engine's input for automatic names: a random seed, and the name that the project's settings propose."""

    seed: bytes
    proposed: str = ""
    disabled: bool = False


class Provider(ABC):
    # True: secrets keep the place that the program gave them. False: the top-level property around one is secret.
    secrets_by_path: ClassVar[bool] = False

    @abstractmethod
    def configure(self, config: Props) -> None: ...
    @abstractmethod
    def check_config(self, config: Props) -> list[tuple[str, str]]: ...
    @abstractmethod
    def check(self, r: Resource, old: Props, new: Props, naming: Naming) -> tuple[Props, list[tuple[str, str]]]: ...
    @abstractmethod
    def diff(self, r: Resource, old_inputs: Props, old_state: Props, new: Props) -> Diff: ...
    @abstractmethod
    def create(self, r: Resource, inputs: Props, preview: bool) -> tuple[str, Props]: ...
    @abstractmethod
    def read(self, r: Resource, id: str, inputs: Props, state: Props) -> tuple[Props, Props] | None: ...
    @abstractmethod
    def update(self, r: Resource, id: str, old_inputs: Props, old_state: Props, new: Props, preview: bool) -> Props: ...
    @abstractmethod
    def delete(self, r: Resource, id: str, state: Props) -> None: ...
    @abstractmethod
    def invoke(self, token: str, args: Props) -> Props: ...
    def report_progress(self, urn: str, text: str) -> None:  # noqa: B027 - `serve` connects it with the engine
        """Show the reason why a resource waits; it stays on the screen until the next text."""

    def warn(self, urn: str, text: str) -> None:  # noqa: B027 - `serve` connects it with the engine
        """Show a lasting warning about a resource."""

    def config_replaces(self, old: Props, new: Props, changed: list[str]) -> list[str]:
        """Return changed provider inputs that mean other resources: the provider and all its resources are replaced."""
        return []

    def secret_inputs(self, type: str) -> frozenset[str]:
        """Return the inputs that are secret even where the program does not mark them."""
        return frozenset()

    def secret_outputs(self, type: str) -> frozenset[str]:
        """Return the outputs that are secret whatever their inputs are."""
        return frozenset()


class _Context(Protocol):
    def abort(self, code: Any, details: str) -> NoReturn: ...
    def abort_with_status(self, status: Any) -> NoReturn: ...


@dataclass
class _Status(grpc.Status):
    code: Any
    details: str
    trailing_metadata: Any


_KINDS: dict[tuple[str, bool], Any] = {
    (kind, replace): getattr(provider_pb2.PropertyDiff, f"{kind}_replace".upper() if replace else kind.upper())
    for kind in ("add", "delete", "update")
    for replace in (False, True)
}


def _resource(request: Any) -> Resource:
    *_, type_chain, name = request.urn.split("::", 3)
    ignored = tuple(getattr(request, "ignoreChanges", ()))
    return Resource(request.urn, type_chain.rsplit("$", 1)[-1], name, float(getattr(request, "timeout", 0.0)), ignored)


def _failures(pairs: list[tuple[str, str]]) -> list[Any]:
    return [provider_pb2.CheckFailure(property=name, reason=reason) for name, reason in pairs]


def _top(keys: Collection[str]) -> set[SecretPath]:
    return {(key,) for key in keys}


_Method = TypeVar("_Method", bound=Callable[..., Any])


def _guarded(method: _Method) -> _Method:
    """Turn exceptions into gRPC errors that the engine shows in full."""

    def call(self: Any, request: Any, context: _Context) -> Any:
        try:
            return method(self, request, context)
        except PartialFailureError as failure:
            detail = self._init_failed(request, failure)
            status = status_pb2.Status(code=code_pb2.UNKNOWN, message=failure.reason)
            status.details.add().Pack(detail)
            metadata = (("grpc-status-details-bin", status.SerializeToString()),)
            context.abort_with_status(_Status(grpc.StatusCode.UNKNOWN, failure.reason, metadata))
        except ProviderError as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        except Exception as error:
            traceback.print_exc()
            context.abort(grpc.StatusCode.INTERNAL, f"{type(error).__name__}: {error}")

    return cast(_Method, call)


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    def __init__(self, provider: Provider, version: str) -> None:
        self.provider, self.version = provider, version

    def GetPluginInfo(self, request: Any, context: _Context) -> Any:
        return plugin_pb2.PluginInfo(version=self.version)

    def Attach(self, request: Any, context: _Context) -> Any:
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: _Context) -> Any:
        return empty_pb2.Empty()

    @_guarded
    def CheckConfig(self, request: Any, context: _Context) -> Any:
        failures = self.provider.check_config(decode(request.news))
        return provider_pb2.CheckResponse(inputs=request.news, failures=_failures(failures))

    @_guarded
    def DiffConfig(self, request: Any, context: _Context) -> Any:
        old, new = decode(request.olds), decode(request.news)
        changed = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
        kind = provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        replaces = self.provider.config_replaces(old, new, changed)
        return provider_pb2.DiffResponse(changes=kind, diffs=changed, replaces=replaces)

    @_guarded
    def Configure(self, request: Any, context: _Context) -> Any:
        self.provider.configure(decode(request.args))
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, supports_autonaming_configuration=True
        )

    @_guarded
    def Check(self, request: Any, context: _Context) -> Any:
        options = request.autonaming if request.HasField("autonaming") else None
        disabled = options is not None and options.mode == provider_pb2.CheckRequest.AutonamingOptions.DISABLE
        naming = Naming(request.randomSeed, options.proposed_name if options else "", disabled)
        resource = _resource(request)
        inputs, failures = self.provider.check(resource, decode(request.olds), decode(request.news), naming)
        wire_inputs = self._inputs(resource, inputs, request.news)
        return provider_pb2.CheckResponse(inputs=wire_inputs, failures=_failures(failures))

    @_guarded
    def Diff(self, request: Any, context: _Context) -> Any:
        old_inputs, old_state, new = decode(request.old_inputs), decode(request.olds), decode(request.news)
        found = self.provider.diff(_resource(request), old_inputs, old_state, new)
        some = provider_pb2.DiffResponse.DIFF_SOME if found.changes else provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(
            changes=some,
            diffs=sorted(found.changes),
            replaces=sorted(key for key, change in found.changes.items() if change.replace),
            deleteBeforeReplace=found.delete_before_replace,
            detailedDiff={
                key: provider_pb2.PropertyDiff(kind=_KINDS[change.kind, change.replace], inputDiff=True)
                for key, change in found.changes.items()
            },
            hasDetailedDiff=True,
        )

    @_guarded
    def Create(self, request: Any, context: _Context) -> Any:
        resource = _resource(request)
        id, state = self.provider.create(resource, decode(request.properties), request.preview)
        return provider_pb2.CreateResponse(id=id, properties=self._state(resource, state, request.properties))

    @_guarded
    def Read(self, request: Any, context: _Context) -> Any:
        resource = _resource(request)
        found = self.provider.read(resource, request.id, decode(request.inputs), decode(request.properties))
        if found is None:
            return provider_pb2.ReadResponse()
        inputs, state = found
        wire_inputs = self._inputs(resource, inputs, request.inputs)
        wire_state = self._state(resource, state, request.inputs)
        return provider_pb2.ReadResponse(id=request.id, inputs=wire_inputs, properties=wire_state)

    @_guarded
    def Update(self, request: Any, context: _Context) -> Any:
        resource = _resource(request)
        old_inputs, old_state, new = decode(request.old_inputs), decode(request.olds), decode(request.news)
        state = self.provider.update(resource, request.id, old_inputs, old_state, new, request.preview)
        return provider_pb2.UpdateResponse(properties=self._state(resource, state, request.news))

    @_guarded
    def Delete(self, request: Any, context: _Context) -> Any:
        state = {**decode(request.old_inputs), **decode(request.properties)}
        self.provider.delete(_resource(request), request.id, state)
        return empty_pb2.Empty()

    @_guarded
    def Invoke(self, request: Any, context: _Context) -> Any:
        response: Any = provider_pb2.InvokeResponse()
        getattr(response, "return").CopyFrom(encode(self.provider.invoke(request.tok, decode(request.args))))
        return response

    def _state(self, resource: Resource, state: Props, wire_inputs: Any) -> Any:
        return encode(state, self._secrets(wire_inputs) | _top(self.provider.secret_outputs(resource.type)))

    def _inputs(self, resource: Resource, inputs: Props, wire_inputs: Any) -> Any:
        return encode(inputs, self._secrets(wire_inputs) | _top(self.provider.secret_inputs(resource.type)))

    def _secrets(self, wire_inputs: Any) -> set[SecretPath]:
        return secret_paths(wire_inputs) if self.provider.secrets_by_path else _top(secret_keys(wire_inputs))

    def _init_failed(self, request: Any, failure: PartialFailureError) -> Any:
        resource = _resource(request)
        wire_inputs = request.news if hasattr(request, "news") else request.properties
        return provider_pb2.ErrorResourceInitFailed(
            id=failure.id,
            properties=self._state(resource, failure.state, wire_inputs),
            inputs=self._inputs(resource, failure.inputs, wire_inputs),
            reasons=[failure.reason],
        )


def serve(provider: Provider, version: str) -> None:
    """Answer the engine's calls with this provider."""
    if address := next((argument for argument in reversed(sys.argv[1:]) if not argument.startswith("-")), ""):
        log = EngineLog(address)
        provider.report_progress, provider.warn = log.progress, log.warn
    servicer = Servicer(provider, version)
    serving.serve(
        lambda server: provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server), workers=WORKERS
    )
