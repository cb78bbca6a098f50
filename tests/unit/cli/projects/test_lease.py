"""One promotion at a time: who gets the lease, who waits, who is told whom it waits for, and that it is let go."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli.plain import PlainError
from cli.projects.cluster_access import CONFLICT, FORBIDDEN, ApiError
from cli.projects.lease import Held, held

NAMESPACE, NAME = "science-churn", "promotion"
PATH = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/{NAME}"
NOON = datetime(2026, 10, 24, 12, tzinfo=UTC)
Object = dict[str, Any]


class Server:
    """Leases as the API server keeps them: with versions, which every change is held against."""

    def __init__(self) -> None:
        self.leases: dict[str, Object] = {}
        self.now = NOON
        self.before_write: Callable[[], None] | None = None
        self._version = 0

    def find(self, path: str) -> Object | None:
        return copy.deepcopy(self.leases.get(path))

    def create(self, path: str, body: Object) -> Object:
        self._interfere()
        name = f"{path}/{body['metadata']['name']}"
        if name in self.leases:
            raise ApiError(CONFLICT, "already exists")
        return self._keep(name, body)

    def replace(self, path: str, body: Object) -> Object:
        self._interfere()
        if self.leases[path]["metadata"]["resourceVersion"] != body["metadata"]["resourceVersion"]:
            raise ApiError(CONFLICT, "the object has been modified")
        return self._keep(path, body)

    def take(self, by: str, *, seconds_ago: float = 0) -> None:
        """As somebody else."""
        renewed = (self.now - timedelta(seconds=seconds_ago)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec = {"holderIdentity": by, "renewTime": renewed, "leaseDurationSeconds": 60}
        self._keep(PATH, {"metadata": {"name": NAME}, "spec": spec})

    @property
    def holder(self) -> str:
        return str(self.leases[PATH]["spec"]["holderIdentity"])

    def _keep(self, path: str, body: Object) -> Object:
        self._version += 1
        metadata = {**body["metadata"], "resourceVersion": str(self._version)}
        self.leases[path] = {**copy.deepcopy(body), "metadata": metadata}
        return copy.deepcopy(self.leases[path])

    def _interfere(self) -> None:
        interfering, self.before_write = self.before_write, None
        if interfering:
            interfering()


@pytest.fixture
def server() -> Server:
    return Server()


def taken(server: Server, who: str = "jo") -> Any:
    def sleep(seconds: float) -> None:
        server.now += timedelta(seconds=seconds)

    return held(server, NAMESPACE, NAME, who, now=lambda: server.now, sleep=sleep)


def test_the_first_makes_it_and_lets_it_go(server: Server):
    with taken(server):
        assert server.holder.startswith("jo on ")
        assert server.leases[PATH]["spec"]["leaseDurationSeconds"] == 60
    assert server.holder == ""
    with taken(server, "ann"):
        assert server.holder.startswith("ann on ")
        assert server.leases[PATH]["spec"]["leaseTransitions"] == 1


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_it_is_let_go_whatever_happens(server: Server, error: type[BaseException]):
    with pytest.raises(error), taken(server):
        raise error
    assert server.holder == ""


def test_who_holds_it_is_named_after_a_few_seconds(server: Server):
    server.take("ann on laptop (12-ab)")
    with pytest.raises(PlainError, match=r"another promotion is under way, by ann on laptop \(12-ab\)"), taken(server):
        pass
    assert server.now - NOON < timedelta(seconds=10)
    assert server.holder.startswith("ann")


def test_two_commands_of_one_person_are_two_holders(server: Server):
    with taken(server), pytest.raises(PlainError, match="by jo on "), taken(server):
        pass


def test_one_that_is_let_go_meanwhile_is_waited_for(server: Server):
    server.take("ann", seconds_ago=57)
    with taken(server):
        assert server.holder.startswith("jo on ")
    assert server.now - NOON >= timedelta(seconds=3)


def test_one_whose_holder_was_killed_is_taken_over_when_it_expires(server: Server):
    server.take("ann", seconds_ago=61)
    with taken(server):
        assert server.holder.startswith("jo on ")


@pytest.mark.parametrize("there", [False, True])
def test_of_two_who_see_it_free_one_gets_it(server: Server, there: bool):
    if there:
        server.take("ann", seconds_ago=61)
    server.before_write = lambda: server.take("bob")
    with pytest.raises(PlainError, match="another promotion is under way, by bob"), taken(server):
        pass
    assert server.holder == "bob"


def test_one_that_was_taken_over_cannot_be_renewed_and_is_left_to_the_other(server: Server):
    lease: Held
    with taken(server) as lease:
        lease.renew()
        server.take("ann")
        with pytest.raises(PlainError, match="another promotion has begun meanwhile"):
            lease.renew()
    assert server.holder == "ann"


def test_who_may_not_is_told_so(server: Server):
    def refuse(path: str, body: Object) -> Object:
        raise ApiError(FORBIDDEN, "jo may not do this; assume the role team-science")

    server.create = refuse
    with pytest.raises(PlainError, match="assume the role team-science"), taken(server):
        pass
