"""`kubernetes` provider for any cluster, which answers the engine's calls with server-side apply.

https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from threading import Lock
from typing import ClassVar

from mlp_sandbox.providers.kubernetes import settings
from mlp_sandbox.providers.kubernetes.annotations import REPLACE_UNREADY, is_set
from mlp_sandbox.providers.kubernetes.annotations import problems as problems_of_annotations
from mlp_sandbox.providers.kubernetes.cluster import Cluster
from mlp_sandbox.providers.kubernetes.compare import differences
from mlp_sandbox.providers.kubernetes.errors import (
    ApiError,
    CredentialsError,
    UnknownKindError,
    UnreachableError,
    explain,
)
from mlp_sandbox.providers.kubernetes.kinds import (
    Kind,
    Object,
    id_of,
    is_cluster_scoped,
    kind_of,
    kind_of_object,
    split_id,
)
from mlp_sandbox.providers.kubernetes.kubeconfig import load, target
from mlp_sandbox.providers.kubernetes.managed import all_fields, live_inputs
from mlp_sandbox.providers.kubernetes.naming import MANAGER_KEY, field_manager, is_automatic, with_name, with_namespace
from mlp_sandbox.providers.kubernetes.objects import (
    SERVER_FIELDS,
    as_inputs,
    from_server,
    previewed_create,
    previewed_update,
    readable,
    redacted,
)
from mlp_sandbox.providers.kubernetes.operations import Operations, RefusedError
from mlp_sandbox.providers.kubernetes.paths import Path, written
from mlp_sandbox.providers.kubernetes.replacement import (
    blamed,
    is_immutable_refusal,
    replaced_by,
    same_place,
    unready_job,
)
from mlp_sandbox.providers.kubernetes.waiting import NotReadyError
from mlp_sandbox.providers.protocol import Change, Diff, Naming, PartialFailureError, Provider, ProviderError, Resource
from mlp_sandbox.providers.values import Props, Unknown, has_unknown

SECRET = "kubernetes:core/v1:Secret"
READ_PATIENCE = 30.0


class KubernetesProvider(Provider):
    secrets_by_path: ClassVar[bool] = True

    def __init__(self) -> None:
        self._settings = settings.Settings()
        self._cluster: Cluster | None = None
        self._no_cluster = "the kubernetes provider's inputs are not known yet"
        self._lock = Lock()
        self._told = False

    def check_config(self, config: Props) -> list[tuple[str, str]]:
        return settings.problems(config)

    def config_replaces(self, old: Props, new: Props, changed: list[str]) -> list[str]:
        return settings.replaces(old, new, changed)

    def secret_inputs(self, type: str) -> frozenset[str]:
        return frozenset({"data", "stringData"}) if type == SECRET else frozenset()

    def secret_outputs(self, type: str) -> frozenset[str]:
        return self.secret_inputs(type)

    def configure(self, config: Props) -> None:
        if any(isinstance(config.get(name), Unknown) for name in settings.WHERE):
            return
        self._settings = chosen = settings.settings_of(config)
        try:
            entries, folder = load(chosen.kubeconfig)
            to = target(entries, folder, context=chosen.context, cluster=chosen.cluster, namespace=chosen.namespace)
            self._cluster = Cluster(to)
        except CredentialsError as error:
            self._no_cluster = str(error)

    def check(self, r: Resource, old: Props, new: Props, naming: Naming) -> tuple[Props, list[tuple[str, str]]]:
        kind = kind_of_object(r.type, new)
        if old and self._settings.skip_update_unreachable and (trouble := self._trouble()):
            self.warn(r.urn, f"not updated: {trouble}")
            return old, []
        inputs = with_name(r, old, {"apiVersion": kind.api_version, "kind": kind.name, **new}, naming)
        if self._is_namespaced(kind):
            inputs = with_namespace(inputs, self._namespace)
        return inputs, [] if has_unknown(inputs.get("metadata")) else problems_of_annotations(inputs)

    def diff(self, r: Resource, old_inputs: Props, old_state: Props, new: Props) -> Diff:
        kind = kind_of_object(r.type, new)
        found = list(differences(self._compared(kind, old_inputs), self._compared(kind, new)))
        replacing = {path for path, _ in found if replaced_by(kind, new, path, mutable=self._settings.mutable)}
        if found and not replacing and not has_unknown(new):
            replacing = self._refused_changes(r, kind, old_state, new, [path for path, _ in found])
        changes = {written(path): Change(how, path in replacing) for path, how in found}
        if not replacing and self._is_unready_job(r, kind, old_state, new):
            unready = written(("metadata", "annotations", REPLACE_UNREADY))
            changes[unready] = Change("update", replace=True)
        replaces = any(change.replace for change in changes.values())
        return Diff(changes, replaces and not is_automatic(new) and same_place(old_inputs, old_state, new))

    def create(self, r: Resource, inputs: Props, preview: bool) -> tuple[str, Props]:
        kind, manager = kind_of_object(r.type, inputs), field_manager(r, inputs, {})
        if preview:
            tried = None
            if not has_unknown(inputs) and not self._without_cluster(r):
                with self._told_plainly(r, "create", inputs) as on:
                    tried = on.try_create(r, kind, inputs, manager)
            return "", {**previewed_create(kind, inputs, tried), MANAGER_KEY: manager}
        with self._told_plainly(r, "create", inputs) as on:
            made = on.create(r, kind, inputs, manager)
        state = self._wait(r, kind, inputs, made, manager, "was created")
        return id_of(state), state

    def read(self, r: Resource, id: str, inputs: Props, state: Props) -> tuple[Props, Props] | None:
        kind = kind_of_object(r.type, inputs) if inputs.get("apiVersion") else kind_of(r.type)
        namespace, name = split_id(id)
        chosen = self._settings
        if (chosen.delete_unreachable or chosen.skip_update_unreachable) and (trouble := self._trouble()):
            if chosen.delete_unreachable:
                self.warn(r.urn, f"{_LEFT_THERE}: {trouble}")
                return None
            self.warn(r.urn, f"left as it was (skipUpdateUnreachable): {trouble}")
            return inputs, state
        with self._told_plainly(r, "read", inputs) as on:
            try:
                live = on.cluster.get(kind, namespace, name, patience=READ_PATIENCE)
            except UnknownKindError:
                return None
            except UnreachableError as error:
                raise ProviderError(f"read {kind} {id}: {error}. {_WHEN_GONE}") from error
        if live is None:
            return None
        manager = field_manager(r, inputs, state)
        if not inputs:
            return as_inputs(live), self._state(live, manager)
        now, before = readable(kind, from_server(live), inputs), readable(kind, state, inputs)
        return live_inputs(inputs, now, before, all_fields(live)), self._state(live, manager)

    def update(self, r: Resource, id: str, old_inputs: Props, old_state: Props, new: Props, preview: bool) -> Props:
        kind, manager = kind_of_object(r.type, new), field_manager(r, new, old_state)
        namespace, name = split_id(id)
        if preview:
            tried = None
            if not has_unknown(new) and not self._without_cluster(r):
                with self._told_plainly(r, "update", new) as on:
                    tried = on.try_update(r, kind, new, manager, namespace, name)
            return {**previewed_update(new, old_state, tried), MANAGER_KEY: manager}
        with self._told_plainly(r, "update", new) as on:
            live = on.update(r, kind, new, manager, namespace, name)
        return self._wait(r, kind, new, live, manager, "was updated")

    def delete(self, r: Resource, id: str, state: Props) -> None:
        kind = kind_of_object(r.type, state)
        namespace, name = split_id(id)
        if self._settings.delete_unreachable and (trouble := self._trouble()):
            self.warn(r.urn, f"{_LEFT_THERE}: {trouble}")
            return
        with self._told_plainly(r, "delete", state) as on:
            try:
                on.delete(r, kind, state, namespace, name)
            except UnreachableError as error:
                raise ProviderError(f"delete {kind} {id}: {error}. {_WHEN_GONE}") from error
            except NotReadyError as error:
                raise ProviderError(f"delete {kind} {id}: {error}") from error

    def invoke(self, token: str, args: Props) -> Props:
        raise ProviderError(
            f"the function {token} is not supported here (Helm, YAML files and kustomizations are not done): "
            "declare the objects themselves"
        )

    def _wait(self, r: Resource, kind: Kind, inputs: Props, live: Object, manager: str, done: str) -> Props:
        try:
            with self._told_plainly(r, "wait for", inputs) as on:
                return self._state(on.ready(r, kind, inputs, live), manager)
        except NotReadyError as error:
            live = error.live
            reason = redacted(kind, inputs, f"{kind} {id_of(live)} {done}, but: {error}")
            raise PartialFailureError(id_of(live), inputs, self._state(live, manager), reason) from error

    def _state(self, live: Object, manager: str) -> Props:
        return {**from_server(live), MANAGER_KEY: manager}

    def _compared(self, kind: Kind, inputs: Props) -> Props:
        """Return the inputs without those that cannot make a difference."""
        kept = {key: value for key, value in inputs.items() if key != "status" and not key.startswith("__")}
        metadata = kept.get("metadata")
        if isinstance(metadata, dict):
            kept["metadata"] = {key: value for key, value in metadata.items() if key not in SERVER_FIELDS}
            if self._is_namespaced(kind):
                kept["metadata"].setdefault("namespace", "default")
            else:
                kept["metadata"].pop("namespace", None)
        return kept

    def _refused_changes(self, r: Resource, kind: Kind, state: Props, new: Props, changed: list[Path]) -> set[Path]:
        """Return the changes that the API server does not allow on an existing object and the table of fields lacks."""
        if self._cluster is None or self._trouble():
            return set()
        refusal = self._operations(self._cluster).refusal_of_update(kind, new, field_manager(r, new, state))
        if refusal is None or refusal.status not in (403, 422):
            return set()
        told = [(field, message) for field, _, message in refusal.causes] or [("", refusal.message)]
        if not all(is_immutable_refusal(message) for _, message in told):
            return set()
        named = {path for path in changed if blamed(path, [field for field, _ in told])}
        return named or set(changed)

    def _is_unready_job(self, r: Resource, kind: Kind, state: Props, new: Props) -> bool:
        if not is_set(new, REPLACE_UNREADY):
            return False
        if kind.name != "Job":
            self.warn(r.urn, f"the annotation {REPLACE_UNREADY} means nothing for a {kind.name}")
            return False
        if self._cluster is None or self._trouble():
            return False
        metadata = state["metadata"]
        with self._told_plainly(r, "read", new) as on:
            return unready_job(new, on.cluster.get(kind, metadata.get("namespace", ""), metadata["name"]))

    @property
    def _namespace(self) -> str:
        return self._cluster.namespace if self._cluster else self._settings.namespace

    def _is_namespaced(self, kind: Kind) -> bool:
        if is_cluster_scoped(kind):
            return False
        if self._cluster is None or self._trouble():
            return True
        try:
            return self._cluster.served(kind).namespaced
        except (ApiError, CredentialsError, UnknownKindError, UnreachableError):
            return True

    def _trouble(self) -> str:
        """Return why no API server answers; empty when one does."""
        if self._cluster is None:
            return self._no_cluster
        trouble = self._cluster.trouble()
        return explain(trouble, self._cluster.server) if trouble else ""

    def _without_cluster(self, r: Resource) -> bool:
        trouble = self._trouble()
        with self._lock:
            if trouble and not self._told:
                self.warn(r.urn, f"this preview is made without the cluster: {trouble}")
                self._told = True
        return bool(trouble)

    def _operations(self, cluster: Cluster) -> Operations:
        return Operations(cluster, self._settings, self.report_progress, self.warn)

    @contextmanager
    def _told_plainly(self, r: Resource, action: str, inputs: Props) -> Generator[Operations, None, None]:
        what = f"{action} {r.type} {r.name}"
        if self._cluster is None:
            raise ProviderError(f"{what}: {self._no_cluster}")
        try:
            yield self._operations(self._cluster)
        except (ApiError, CredentialsError, UnknownKindError, UnreachableError, RefusedError) as error:
            text = redacted(kind_of(r.type), inputs, explain(error, self._cluster.server))
            raise ProviderError(f"{what}: {text}") from error


_LEFT_THERE = "taken out of the state, not out of the cluster (deleteUnreachable)"
_WHEN_GONE = (
    "If the cluster is gone for good, run again with PULUMI_K8S_DELETE_UNREACHABLE=true: its objects are then taken "
    "out of the state"
)
