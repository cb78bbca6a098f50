"""Registry of checks: a check is one decorated function for a group of operations that raises a Fault or returns."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, TypeAlias

from moto.core.request import Request as MotoRequest
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model

from mlp_sandbox.emulator.identify import Identity
from mlp_sandbox.emulator.messages import Request, environ_for
from mlp_sandbox.emulator.services.registry import Result, parse_request

ANY = "*"
"""Registers a check for every operation of a service."""

Check: TypeAlias = Callable[["Asked"], None]
_checks: dict[tuple[str, str], list[Check]] = defaultdict(list)


class Asked:
    """A request before its execution, parsed only as far as a check needs it."""

    def __init__(self, identity: Identity, request: Request) -> None:
        self.identity, self._request = identity, request

    @cached_property
    def params(self) -> Result:
        """The parameters, in the shapes of botocore's model."""
        model = get_service_model(self.identity.service).operation_model(self.identity.operation)
        return parse_request(self.identity, self._request, model)

    @cached_property
    def path_params(self) -> dict[str, Any]:
        """The parameters in the path of a REST request, without its body, which may be large."""
        return dict(get_service_router(self.identity.service).match(MotoRequest(environ_for(self._request)))[1])


def checks(service: str, *operations: str) -> Callable[[Check], Check]:
    """Register a check for operations of a service (botocore's names), or for `ANY` of them.

    Raises:
        ValueError: The service has no such operation.
    """

    def register(check: Check) -> Check:
        known: Any = get_service_model(service).operation_names
        for operation in operations:
            if operation != ANY and operation not in known:
                raise ValueError(f"{service} has no operation {operation}")
            _checks[(service, operation)].append(check)
        return check

    return register


def checks_of(identity: Identity) -> Sequence[Check]:
    """Return the checks of a request's operation."""
    service = identity.service
    return (*_checks.get((service, ANY), ()), *_checks.get((service, identity.operation), ()))
