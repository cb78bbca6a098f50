"""Wait until an object is ready or gone, and show the user the reason for the wait or the failure."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NoReturn

from mlp_sandbox.providers.kubernetes.annotations import SKIP_AWAIT, conditions_of, is_set
from mlp_sandbox.providers.kubernetes.cluster import Cluster
from mlp_sandbox.providers.kubernetes.errors import ApiError, UnknownKindError, UnreachableError, explain
from mlp_sandbox.providers.kubernetes.kinds import Kind, Object
from mlp_sandbox.providers.kubernetes.readiness.custom import judge_custom
from mlp_sandbox.providers.kubernetes.readiness.judgement import Judgement, waiting
from mlp_sandbox.providers.kubernetes.readiness.look import judge, pods_of, warnings_about
from mlp_sandbox.providers.kubernetes.readiness.others import blocks_of_namespace
from mlp_sandbox.providers.kubernetes.readiness.pods import BACK_OFF, PATIENCE, Trouble, last_failed_container, troubles
from mlp_sandbox.providers.kubernetes.readiness.workloads import refused_for_good

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0
SAY_AGAIN = 15.0
"""Seconds between repetitions; without a terminal the engine writes a line for each message."""
LOG_LINES = 15
Progress = Callable[[str], None]


class NotReadyError(Exception):
    """The object is not ready or not gone in time; `live` is its last known state."""

    def __init__(self, reason: str, live: Object) -> None:
        super().__init__(reason)
        self.live = live


class Wait:
    """Wait for one object."""

    def __init__(self, cluster: Cluster, kind: Kind, inputs: Object, timeout: float, progress: Progress) -> None:
        self._cluster, self._kind, self._inputs = cluster, kind, inputs
        self._timeout, self._progress = timeout, progress
        self._begin = time.monotonic()
        self._told, self._told_at = "", 0.0
        self._seen: dict[str, float] = {}
        self._found: dict[str, int] | None = None

    def until_ready(self, live: Object) -> Object:
        """Wait until the object is ready, and return it.

        Raises:
            NotReadyError: the object failed, or is not ready in time.
        """
        if is_set(self._inputs, SKIP_AWAIT):
            return live
        pause = FIRST_PAUSE
        while True:
            judged, trouble = self._look(live)
            if judged.state == "ready":
                self._clear()
                return live
            if judged.state == "failed":
                self._fail(judged.text, live, trouble)
            if trouble and self._is_final(trouble):
                self._fail(trouble.text, live, trouble)
            text = f"{judged.text}; {trouble.text}" if trouble else judged.text
            if self._waited + pause > self._timeout:
                self._fail(
                    f"not ready after {self._timeout:.0f} seconds: {text}; give it more time with the option "
                    "custom_timeouts, or do not wait with the annotation pulumi.com/skipAwait",
                    live,
                    trouble,
                )
            self._tell(text)
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)
            live = self._again(live)

    def until_gone(self, namespace: str, name: str, uid: str | None) -> None:
        """Wait until the object is gone.

        Raises:
            NotReadyError: the object still exists when the time is over.
        """
        pause = FIRST_PAUSE
        while True:
            try:
                live = self._cluster.get(self._kind, namespace, name, waiting=self._tell)
            except UnknownKindError:
                return
            if live is None or (uid and live["metadata"].get("uid") != uid):
                self._clear()
                return
            held = self._held_by(live)
            if self._waited + pause > self._timeout:
                raise NotReadyError(f"still there {self._timeout:.0f} seconds after it was deleted: {held}", live)
            self._tell(f"being deleted: {held}")
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)

    @property
    def _waited(self) -> float:
        return time.monotonic() - self._begin

    def _tell(self, text: str) -> None:
        now = time.monotonic()
        if text != self._told or now - self._told_at >= SAY_AGAIN:
            self._told, self._told_at = text, now
            self._progress(text)

    def _clear(self) -> None:
        """Clear the last text, because the engine would go on showing it beside the finished resource."""
        if self._told:
            self._progress("")

    def _look(self, live: Object) -> tuple[Judgement, Trouble | None]:
        try:
            if expressions := conditions_of(self._inputs):
                judged = judge_custom(live, expressions)
            else:
                judged = judge(self._cluster, self._kind, live)
        except (ApiError, UnreachableError, UnknownKindError) as error:
            return waiting(f"what belongs to it cannot be seen: {error}"), None
        if judged.state == "ready":
            return judged, None
        pods = pods_of(self._cluster, self._kind, live)
        all_found = troubles(pods)
        self._remember(all_found)
        found = next(iter(all_found), None)
        if judged.state == "waiting" and not found and self._waited > LONGEST_PAUSE:
            judged = self._with_events(judged, live, pods)
        return judged, found

    def _with_events(self, judged: Judgement, live: Object, pods: list[Object]) -> Judgement:
        """Add events, which tell more than the status: pods that may not be made, volumes that cannot be mounted."""
        own = warnings_about(self._cluster, live)
        if own and refused_for_good(own[-1]):
            return Judgement("failed", own[-1])
        unready = next((pod for pod in pods if (pod.get("status") or {}).get("phase") == "Pending"), None)
        told = own or (warnings_about(self._cluster, unready) if unready else [])
        return waiting(f"{judged.text}; {told[-1]}") if told else judged

    def _remember(self, found: list[Trouble]) -> None:
        """Note the troubles of the first look, because they belong to an earlier deployment."""
        if self._found is None:
            self._found = {trouble.key: trouble.tries for trouble in found if trouble.outlook == "never"}
        for trouble in found:
            if trouble.key in self._found:
                self._found[trouble.key] = min(self._found[trouble.key], trouble.tries)

    def _may_pass(self, trouble: Trouble) -> bool:
        """Return whether the trouble existed before this wait, so that its cause may have been fixed meanwhile.

        A pushed image or a fixed secret has an effect only when the kubelet tries again.
        """
        before = (self._found or {}).get(trouble.key)
        return before is not None and trouble.tries <= before and self._waited < BACK_OFF

    def _is_final(self, trouble: Trouble) -> bool:
        if self._may_pass(trouble):
            return False
        if trouble.outlook == "never":
            # A Job has its own limit of retries.
            return self._kind.name != "Job" or not trouble.container
        since = self._seen.setdefault(trouble.text.split(":", 1)[0], time.monotonic())
        return trouble.outlook == "hardly" and time.monotonic() - since > PATIENCE

    def _fail(self, text: str, live: Object, trouble: Trouble | None) -> NoReturn:
        raise NotReadyError(text + self._log(live, trouble), live)

    def _log(self, live: Object, trouble: Trouble | None) -> str:
        """Return the last lines of the container that ended, as `kubectl logs` would show them."""
        if trouble and trouble.container:
            pod, container, previous = trouble.pod, trouble.container, trouble.previous
        else:
            pods = pods_of(self._cluster, self._kind, live)
            ended = [(pod, last_failed_container(pod)) for pod in pods]
            if not (ended := [each for each in ended if each[1]]):
                return ""
            (pod, container), previous = ended[-1], False
        metadata = pod["metadata"]
        lines = self._cluster.log(
            metadata["namespace"], metadata["name"], container, previous=previous, lines=LOG_LINES
        )
        if not lines:
            return f"\nContainer '{container}' of pod {metadata['name']} wrote nothing that could be read."
        return f"\nThe last lines of container '{container}' of pod {metadata['name']}:\n{lines}"

    def _again(self, live: Object) -> Object:
        metadata = live["metadata"]
        try:
            found = self._cluster.get(
                self._kind,
                metadata.get("namespace", ""),
                metadata["name"],
                patience=max(self._timeout - self._waited, 1.0),
                waiting=self._tell,
            )
        except (ApiError, UnreachableError) as error:
            raise NotReadyError(f"not seen ready: {explain(error, self._cluster.server)}", live) from error
        if found is None:
            raise NotReadyError("it was deleted while it was waited for", live)
        return found

    def _held_by(self, live: Object) -> str:
        metadata = live["metadata"]
        told = blocks_of_namespace(live) if self._kind.name == "Namespace" else ""
        finalizers = ", ".join(metadata.get("finalizers") or [])
        held = f"its finalizers are {finalizers}" if finalizers else ""
        return "; ".join(each for each in (told, held) if each) or "it has not ended yet"
