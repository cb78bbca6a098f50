"""Lock for promotions: a Lease in the project's namespace allows one promotion at a time while an alias moves.

https://kubernetes.io/docs/concepts/architecture/leases/
"""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from mlp.console import PlainError
from mlp.projects.cluster_access import CONFLICT, ApiError

DURATION_SECONDS: Final = 60
PATIENCE_SECONDS: Final = 8.0
_PAUSE_SECONDS: Final = 0.5
_FORMAT: Final = "%Y-%m-%dT%H:%M:%S.%fZ"
Object = dict[str, Any]


class LeaseApi(Protocol):
    """Kubernetes API calls that a lease needs. All fail with CONFLICT if another client was faster."""

    def find(self, path: str) -> Object | None: ...
    def create(self, path: str, body: Object) -> Object: ...
    def replace(self, path: str, body: Object) -> Object: ...


class Held:
    """Lease held by this process.

    Call `renew` before an action that must not happen twice: it fails after a takeover.
    """

    def __init__(self, api: LeaseApi, path: str, lease: Object, now: Callable[[], datetime]) -> None:
        self._api, self._path, self._now = api, path, now
        self._lease = lease

    def renew(self) -> None:
        spec = {**self._lease["spec"], "renewTime": self._now().strftime(_FORMAT)}
        try:
            self._lease = self._api.replace(self._path, {**self._lease, "spec": spec})
        except ApiError as error:
            if error.status == CONFLICT:
                raise PlainError("another promotion has begun meanwhile, this one took too long: try again") from error
            raise

    def release(self) -> None:
        """Release the lease, so that the next holder need not wait for its expiry. If this fails, the lease expires."""
        spec = {**self._lease["spec"], "holderIdentity": "", "leaseDurationSeconds": 1}
        with suppress(PlainError):
            self._api.replace(self._path, {**self._lease, "spec": spec})


@contextmanager
def held(
    api: LeaseApi,
    namespace: str,
    name: str,
    who: str,
    *,
    patience: float = PATIENCE_SECONDS,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = time.sleep,
) -> Generator[Held]:
    """Hold a lease inside the block.

    Raises:
        PlainError: another holder keeps the lease for longer than `patience` seconds; the message names the holder.
    """
    lease = _acquire(api, namespace, name, who, patience, now, sleep)
    try:
        yield lease
    finally:
        lease.release()


def _acquire(
    api: LeaseApi,
    namespace: str,
    name: str,
    who: str,
    patience: float,
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
) -> Held:
    folder = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
    path = f"{folder}/{name}"
    # Two commands of one person are two different holders.
    identity = f"{who} on {socket.gethostname()} ({os.getpid()}-{uuid.uuid4().hex[:6]})"
    waited = 0.0
    while True:
        found = api.find(path)
        holder = _holder(found, now())
        if holder is None:
            with suppress_conflict():
                body = _taken(found, namespace, name, identity, now())
                return Held(api, path, api.replace(path, body) if found else api.create(folder, body), now)
        if waited >= patience:
            raise PlainError(
                f"another promotion is under way, by {holder or 'somebody who was faster'}: try again when it is done; "
                f"it counts as such for {DURATION_SECONDS} s after its holder was last heard of"
            )
        sleep(_PAUSE_SECONDS)
        waited += _PAUSE_SECONDS


@contextmanager
def suppress_conflict() -> Generator[None]:
    """Ignore a conflict: another client was faster, and the next attempt shows the holder."""
    try:
        yield
    except ApiError as error:
        if error.status != CONFLICT:
            raise


def _holder(lease: Object | None, now: datetime) -> str | None:
    """Return the holder of a lease, None if it is free or has expired."""
    spec = (lease or {}).get("spec") or {}
    holder, renewed = spec.get("holderIdentity"), spec.get("renewTime")
    if not holder or not renewed:
        return None
    until = datetime.fromisoformat(renewed) + timedelta(seconds=int(spec.get("leaseDurationSeconds") or 0))
    return str(holder) if now < until else None


def _taken(found: Object | None, namespace: str, name: str, identity: str, now: datetime) -> Object:
    """Return the lease with this process as holder.

    It contains the resourceVersion that was read, so that only one of two concurrent clients gets a free lease.
    """
    before = (found or {}).get("spec") or {}
    moment = now.strftime(_FORMAT)
    metadata: Object = {"name": name, "namespace": namespace}
    if found:
        metadata["resourceVersion"] = found["metadata"]["resourceVersion"]
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": metadata,
        "spec": {
            "holderIdentity": identity,
            "leaseDurationSeconds": DURATION_SECONDS,
            "acquireTime": moment,
            "renewTime": moment,
            "leaseTransitions": int(before.get("leaseTransitions") or 0) + (1 if found else 0),
        },
    }
