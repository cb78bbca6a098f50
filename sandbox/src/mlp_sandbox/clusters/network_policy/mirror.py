"""Local copy of all objects of one kind, which a watch keeps up to date.

https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from mlp_sandbox.clusters.control_plane.api import Api, ApiError

_WATCH_SECONDS = 60
_RETRY_SECONDS = 1.0

Read = TypeVar("Read")


class Mirror(Generic[Read]):
    """Local copy of objects, each converted by `read`. Objects for which `read` returns None are left out.

    The event `changed` is set when a converted object changes.
    """

    def __init__(
        self, api: Api, path: str, read: Callable[[Mapping[str, Any]], Read | None], changed: threading.Event
    ) -> None:
        self.synced = False
        self._api = api
        self._path = path
        self._read = read
        self._changed = changed
        self._objects: dict[tuple[str, str], Read] = {}
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"watch {path}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Request the end of the watch. The thread ends at its next event."""
        self._ending.set()

    def objects(self) -> list[Read]:
        return list(self._objects.copy().values())

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._follow(self._list())
            except (ApiError, KeyError, TypeError, ValueError):  # no response or a partial one: list again
                self._ending.wait(_RETRY_SECONDS)

    def _list(self) -> str:
        found = self._api.get(self._path)
        fresh = {_key(raw): made for raw in found["items"] or [] if (made := self._read(raw)) is not None}
        if fresh != self._objects or not self.synced:
            self._objects = fresh
            self.synced = True
            self._changed.set()
        return found["metadata"]["resourceVersion"]

    def _follow(self, version: str) -> None:
        """Follow the watch until the server no longer has that version, or until an error."""
        while not self._ending.is_set():
            for event in self._api.watch(self._path, version, _WATCH_SECONDS):
                if event["type"] == "ERROR" or self._ending.is_set():
                    return
                raw = event["object"]
                version = raw["metadata"]["resourceVersion"]
                if event["type"] != "BOOKMARK":
                    self._take(raw, gone=event["type"] == "DELETED")

    def _take(self, raw: Mapping[str, Any], *, gone: bool) -> None:
        key = _key(raw)
        made = None if gone else self._read(raw)
        if made == self._objects.get(key):
            return
        if made is None:
            del self._objects[key]
        else:
            self._objects[key] = made
        self._changed.set()


def _key(raw: Mapping[str, Any]) -> tuple[str, str]:
    metadata = raw["metadata"]
    return metadata.get("namespace", ""), metadata["name"]
