"""A mirror holds the server's objects: after the first list, after changes, and after the server forgot its history."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, cast

from mlp_sandbox.clusters.control_plane.api import Api, ApiError
from mlp_sandbox.clusters.network_policy.mirror import Mirror
from mlp_sandbox.clusters.network_policy.objects import Pod

Event = dict[str, Any]


def pod(name: str, address: str = "100.64.1.2", version: str = "5") -> dict[str, Any]:
    return {
        "metadata": {"namespace": "a", "name": name, "resourceVersion": version},
        "spec": {"containers": []},
        "status": {"podIP": address},
    }


class Server:
    """Stub that answers lists and watches from the prepared sequences; it stays silent after the last one."""

    def __init__(self, lists: list[list[dict[str, Any]]], watches: list[list[Event] | ApiError]) -> None:
        self.asked: list[str] = []
        self._lists = iter(lists)
        self._watches = iter(watches)
        self._end = threading.Event()

    def get(self, path: str) -> dict[str, Any]:
        self.asked.append("list")
        try:
            return {"metadata": {"resourceVersion": "10"}, "items": next(self._lists)}
        except StopIteration:
            raise ApiError(0, "down") from None

    def watch(self, path: str, resource_version: str, seconds: int) -> Iterator[Event]:
        self.asked.append(resource_version)
        found = next(self._watches, None)
        if isinstance(found, ApiError):
            raise found
        yield from found or ()
        if found is None:
            self._end.wait(20)

    def end(self) -> None:
        self._end.set()


def follow(server: Server, check: Callable[[Mirror[Pod]], bool]) -> Mirror[Pod]:
    mirror = Mirror(cast(Api, server), "/api/v1/pods", Pod.read, threading.Event())
    mirror.start()
    deadline = time.monotonic() + 10
    while not check(mirror):
        assert time.monotonic() < deadline, server.asked
        time.sleep(0.01)
    mirror.stop()
    server.end()
    return mirror


def addresses(mirror: Mirror[Pod]) -> dict[str, str]:
    return {each.name: each.address for each in mirror.objects()}


def test_objects_come_change_and_go():
    events = [
        {"type": "ADDED", "object": pod("two", "100.64.1.3", "11")},
        {"type": "MODIFIED", "object": pod("one", "100.64.1.9", "12")},
        {"type": "ADDED", "object": pod("unaddressed", "", "13")},
        {"type": "DELETED", "object": pod("two", "100.64.1.3", "14")},
        {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "20"}}},
    ]
    server = Server([[pod("one")]], [events[:1], events[1:]])
    mirror = follow(server, lambda _: len(server.asked) == 4)
    assert addresses(mirror) == {"one": "100.64.1.9"}
    assert server.asked == ["list", "10", "11", "20"], "each watch goes on where the one before ended"


def test_one_that_loses_its_address_leaves():
    server = Server([[pod("one")]], [[{"type": "MODIFIED", "object": pod("one", "", "11")}]])
    mirror = follow(server, lambda _: len(server.asked) == 3)
    assert addresses(mirror) == {}


def test_what_has_been_forgotten_is_listed_anew():
    gone = [{"type": "ERROR", "object": {"kind": "Status", "code": 410}}]
    server = Server([[pod("one")], [pod("two")]], [gone])
    mirror = follow(server, lambda each: addresses(each) == {"two": "100.64.1.2"})
    assert server.asked[:3] == ["list", "10", "list"]
    assert mirror.synced


def test_while_the_server_does_not_answer_the_last_that_it_said_stays():
    server = Server([[pod("one")]], [ApiError(0, "down")])
    mirror = follow(server, lambda _: server.asked.count("list") == 2)
    assert addresses(mirror) == {"one": "100.64.1.2"}


def test_before_the_first_answer_it_is_not_in_step():
    server = Server([], [])
    assert not follow(server, lambda _: bool(server.asked)).synced


def test_only_what_decides_about_traffic_counts_as_a_change():
    changed = threading.Event()
    same = [{"type": "MODIFIED", "object": pod("one", version="11")}]
    server = Server([[pod("one")]], [same])
    mirror = Mirror(cast(Api, server), "/api/v1/pods", Pod.read, changed)
    version = mirror._list()
    assert changed.is_set()
    changed.clear()
    for event in server.watch("", version, 1):
        mirror._take(event["object"], gone=False)
    assert not changed.is_set()
