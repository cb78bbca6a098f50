"""Creation, change and deletion of one object on a cluster, and dry runs for a preview."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from mlp_sandbox.providers.kubernetes.annotations import PATCH_FORCE, SKIP_AWAIT, is_set, propagation_of, timeout_of
from mlp_sandbox.providers.kubernetes.cluster import Cluster
from mlp_sandbox.providers.kubernetes.connection import PATIENCE, Answer
from mlp_sandbox.providers.kubernetes.errors import (
    ApiError,
    UnknownKindError,
    UnreachableError,
    is_access_refusal,
    is_conflict_of_managers,
    is_missing_namespace,
)
from mlp_sandbox.providers.kubernetes.kinds import Kind, Object, id_of
from mlp_sandbox.providers.kubernetes.managed import is_managed_by, others_of, owns
from mlp_sandbox.providers.kubernetes.objects import to_server
from mlp_sandbox.providers.kubernetes.paths import parsed, put, value_at, with_value
from mlp_sandbox.providers.kubernetes.settings import Settings
from mlp_sandbox.providers.kubernetes.waiting import Wait
from mlp_sandbox.providers.protocol import Resource

TRY_PATIENCE = 20.0
ORDER_PATIENCE = 30.0  # for a namespace or a definition that is being made at the same time
# Kinds whose deletion is not waited for with skipAwait, as in the official provider.
_LEFT_TO_GO = ("Namespace", "Pod", "ReplicationController", "DaemonSet", "Deployment", "StatefulSet", "Job")
# Their names follow from the object that they define, so a dry run cannot use another name.
_NAMED_BY_CONTENT = ("CustomResourceDefinition", "APIService")


class RefusedError(Exception):
    """The provider itself rejects the operation on the object of the cluster."""


@dataclass(frozen=True)
class Operations:
    cluster: Cluster
    settings: Settings
    progress: Callable[[str, str], None]
    warn: Callable[[str, str], None]

    def create(self, r: Resource, kind: Kind, inputs: Object, manager: str) -> Object:
        """Create the object and return it as soon as the API server has it; `ready` waits for the rest."""
        obj = to_server(kind, inputs)
        deadline = time.monotonic() + ORDER_PATIENCE
        while True:
            try:
                self._may_create(r, kind, obj, manager)
                answer = self.cluster.apply(kind, obj, manager, force=self._forced(inputs), waiting=self._tell(r))
            except (ApiError, UnknownKindError) as error:
                if not _may_come(error) or time.monotonic() > deadline:
                    raise
                self.progress(r.urn, f"{error}; is it being made? (trying again)")
                time.sleep(1)
            else:
                self._pass_on(r, answer.warnings)
                return answer.json()

    def ready(self, r: Resource, kind: Kind, inputs: Object, live: Object) -> Object:
        """Wait until the object is ready.

        Raises:
            NotReadyError: the object is not ready in time, or cannot become ready.
        """
        return Wait(self.cluster, kind, inputs, timeout_of(inputs, r.timeout), self._tell(r)).until_ready(live)

    def update(self, r: Resource, kind: Kind, inputs: Object, manager: str, namespace: str, name: str) -> Object:
        live = self._live(r, kind, namespace, name)
        obj = _without_ignored(to_server(kind, inputs), live, r, manager)
        answer = self._apply(r, kind, obj, manager, force=self._forced(inputs))
        self._pass_on(r, answer.warnings)
        return answer.json()

    def delete(self, r: Resource, kind: Kind, state: Object, namespace: str, name: str) -> None:
        """Delete the object and wait until it is gone; an object that is already gone is no error.

        Raises:
            NotReadyError: the object still exists when the time is over.
        """
        tell = self._tell(r)
        try:
            self.cluster.delete(kind, namespace, name, propagation_of(state), waiting=tell)
        except UnknownKindError:
            return
        if is_set(state, SKIP_AWAIT) and kind.name in _LEFT_TO_GO:
            return
        uid = (state.get("metadata") or {}).get("uid")
        Wait(self.cluster, kind, state, timeout_of(state, r.timeout), tell).until_gone(namespace, name, uid)

    def try_create(self, r: Resource, kind: Kind, inputs: Object, manager: str) -> Object | None:
        """Return the result of a dry run; None when only the real run can tell.

        Raises:
            ApiError: the API server rejects the object.
        """
        obj = to_server(kind, inputs)
        metadata = obj["metadata"]
        try:
            live = self.cluster.get(kind, metadata.get("namespace", ""), metadata["name"], patience=TRY_PATIENCE)
            if live is None:
                return self._tried(r, kind, obj, manager)
            if not is_managed_by(live, manager) and not self.settings.upsert:
                self.warn(r.urn, f"{_exists(kind, obj)}. {_ADVICE}")
            if kind.name in _NAMED_BY_CONTENT:
                return None
            # The object is going to be replaced: with its own name, the dry run would update the current one.
            other = {**metadata, "name": f"{metadata['name'][:50].rstrip('-.')}-preview"}
            tried = self._tried(r, kind, {**obj, "metadata": other}, manager)
        except (UnknownKindError, UnreachableError):
            return None
        return {**tried, "metadata": {**tried["metadata"], "name": metadata["name"]}} if tried else None

    def try_update(
        self, r: Resource, kind: Kind, inputs: Object, manager: str, namespace: str, name: str
    ) -> Object | None:
        try:
            live = self._live(r, kind, namespace, name)
            obj = _without_ignored(to_server(kind, inputs), live, r, manager)
            return self._tried(r, kind, obj, manager, force=self._forced(inputs))
        except (UnknownKindError, UnreachableError):
            return None

    def refusal_of_update(self, kind: Kind, inputs: Object, manager: str) -> ApiError | None:
        """Return why the API server rejects the inputs for the existing object; None when it accepts, or is unknown."""
        try:
            self.cluster.apply(kind, to_server(kind, inputs), manager, force=True, dry_run=True, patience=TRY_PATIENCE)
        except ApiError as error:
            return error
        except (UnknownKindError, UnreachableError):
            return None
        return None

    def _tried(self, r: Resource, kind: Kind, obj: Object, manager: str, *, force: bool = False) -> Object | None:
        try:
            answer = self._apply(r, kind, obj, manager, force=force, dry_run=True, patience=TRY_PATIENCE)
        except ApiError as error:
            if is_access_refusal(error):
                self.warn(r.urn, f"not validated by the API server: {error.message}")
                return None
            if _only_real_run_tells(error):
                return None
            raise
        self._pass_on(r, answer.warnings)
        return answer.json()

    def _apply(
        self,
        r: Resource,
        kind: Kind,
        obj: Object,
        manager: str,
        *,
        force: bool,
        dry_run: bool = False,
        patience: float = PATIENCE,
    ) -> Answer:
        """Apply the object; when that is forced, warn of each field that is taken from another manager."""

        def apply(*, forced: bool) -> Answer:
            tell = self._tell(r)
            return self.cluster.apply(
                kind, obj, manager, force=forced, dry_run=dry_run, waiting=tell, patience=patience
            )

        try:
            return apply(forced=False)
        except ApiError as error:
            if not (force and is_conflict_of_managers(error)):
                raise
            fields = ", ".join(f"{place} ({message})" for place, _, message in error.causes)
            self.warn(
                r.urn, f"{kind} {id_of(obj)}: somebody else changed what the program sets; changed back: {fields}"
            )
            return apply(forced=True)

    def _may_create(self, r: Resource, kind: Kind, obj: Object, manager: str) -> None:
        """Check that no object of another owner exists; an object of this resource is left from an interrupted run."""
        metadata = obj["metadata"]
        namespace, name = metadata.get("namespace", ""), metadata["name"]
        live = self.cluster.get(kind, namespace, name, waiting=self._tell(r))
        if live and live["metadata"].get("deletionTimestamp"):
            wait = Wait(self.cluster, kind, obj, timeout_of(obj, r.timeout), self._tell(r))
            wait.until_gone(namespace, name, live["metadata"].get("uid"))
            return
        if live and not is_managed_by(live, manager) and not self.settings.upsert:
            raise RefusedError(f"{_exists(kind, obj)}. {_ADVICE}")

    def _live(self, r: Resource, kind: Kind, namespace: str, name: str) -> Object:
        live = self.cluster.get(kind, namespace, name, waiting=self._tell(r))
        if live is None:
            raise RefusedError(f"{kind} {namespace}/{name} is gone; `pulumi refresh` takes it out of the state")
        return live

    def _forced(self, inputs: Object) -> bool:
        return self.settings.force or is_set(inputs, PATCH_FORCE)

    def _tell(self, r: Resource) -> Callable[[str], None]:
        return lambda text: self.progress(r.urn, text)

    def _pass_on(self, r: Resource, warnings: list[str]) -> None:
        for text in warnings:
            if not (self.settings.suppress_warnings and "deprecated" in text):
                self.warn(r.urn, text)


_ADVICE = (
    "Take it over with `pulumi import`, keep a renamed resource with the option aliases, or set the provider's input "
    "upsertExistingObjects"
)


def _exists(kind: Kind, obj: Object) -> str:
    return f"{kind} {id_of(obj)} exists in the cluster, and this resource did not make it"


def _may_come(error: Exception) -> bool:
    if isinstance(error, UnknownKindError):
        return True
    lacks_account = isinstance(error, ApiError) and "serviceaccount" in error.message and "not found" in error.message
    return lacks_account or (isinstance(error, ApiError) and is_missing_namespace(error))


def _only_real_run_tells(error: ApiError) -> bool:
    """Return whether a dry run failed for lack of an object that the same program may make.

    Examples are a namespace, a service account or a class.
    """
    if error.status == 404 or "does not support dry run" in error.message:
        return True
    return error.status == 403 and ("not found" in error.message or "was found" in error.message)


def _without_ignored(obj: Object, live: Object, r: Resource, manager: str) -> Object:
    """Return the object with its ignored fields as they are on the cluster, as the official provider does.

    A field that only other managers own is not sent. A field of this resource, a shared one or one without an owner is
    sent with its current value: otherwise it would disappear, or be taken from its owner. A field that does not exist
    on the cluster is sent as declared.
    """
    for text in r.ignored:
        path = parsed(text)
        if others_of(live, path, manager) and not owns(live, path, manager):
            obj = with_value(obj, path, None)
        elif (value := value_at(live, path)) is not None:
            obj = put(obj, path, value)
    return obj
