"""Requests without credentials: moto checks access control lists, and calls this module to check policies."""

from typing import Any

from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket

from mlp_sandbox.emulator.authorization.conditions import Lookup
from mlp_sandbox.emulator.authorization.context import Context
from mlp_sandbox.emulator.authorization.documents import Access, MalformedPolicyError, parse
from mlp_sandbox.emulator.authorization.evaluation import Caller, names
from mlp_sandbox.emulator.authorization.request import AuthorizationRequest
from mlp_sandbox.emulator.identify import Identity
from mlp_sandbox.emulator.messages import Request

NOBODY = Caller(kind="anonymous", arn="*", account="")
_executing: list[tuple[Identity, Request]] = []


def executing(identity: Identity, request: Request) -> None:
    """Remember the request that moto is about to execute."""
    _executing[:] = [(identity, request)]


def install() -> None:
    """Make moto call this module to decide whether a policy opens an object to requests without credentials."""

    def get_permission(self: FakeBucket, action: str, resource: str) -> PermissionResult:
        if self.policy and _executing and _opens(self.policy, Access(action=action, resource=resource)):
            return PermissionResult.PERMITTED
        return PermissionResult.NEUTRAL  # denials were raised before moto ran

    vars_of: Any = FakeBucket
    vars_of.get_permission = get_permission


def _opens(policy: bytes | str, access: Access) -> bool:
    identity, request = _executing[0]
    lookup: Lookup = Context(AuthorizationRequest(identity, request, NOBODY, {}), access)
    try:
        document = parse(policy.decode() if isinstance(policy, bytes) else policy)
    except MalformedPolicyError:
        return False
    return any(names(statement, NOBODY) for statement in document.matching("Allow", access, lookup))
