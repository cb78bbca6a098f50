"""One promotion at a time: acquisition, waiting, the holder's name in messages, and release of the lease."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from mlp.console import PlainError
from mlp.projects.cluster_access import FORBIDDEN, ApiError
from mlp.projects.lease import Held, held
from tests.unit.mlp.projects.leases import NAME, NAMESPACE, NOON, PATH, LeaseServer, Object


@pytest.fixture
def server() -> LeaseServer:
    return LeaseServer()


def taken(server: LeaseServer, who: str = "jo") -> Any:
    def sleep(seconds: float) -> None:
        server.now += timedelta(seconds=seconds)

    return held(server, NAMESPACE, NAME, who, now=lambda: server.now, sleep=sleep)


def test_the_first_makes_it_and_lets_it_go(server: LeaseServer):
    with taken(server):
        assert server.holder.startswith("jo on ")
        assert server.leases[PATH]["spec"]["leaseDurationSeconds"] == 60
    assert server.holder == ""
    with taken(server, "ann"):
        assert server.holder.startswith("ann on ")
        assert server.leases[PATH]["spec"]["leaseTransitions"] == 1


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_it_is_let_go_whatever_happens(server: LeaseServer, error: type[BaseException]):
    with pytest.raises(error), taken(server):
        raise error
    assert server.holder == ""


def test_who_holds_it_is_named_after_a_few_seconds(server: LeaseServer):
    server.take("ann on laptop (12-ab)")
    with pytest.raises(PlainError, match=r"another promotion is under way, by ann on laptop \(12-ab\)"), taken(server):
        pass
    assert server.now - NOON < timedelta(seconds=10)
    assert server.holder.startswith("ann")


def test_two_commands_of_one_person_are_two_holders(server: LeaseServer):
    with taken(server), pytest.raises(PlainError, match="by jo on "), taken(server):
        pass


def test_one_that_is_let_go_meanwhile_is_waited_for(server: LeaseServer):
    server.take("ann", seconds_ago=57)
    with taken(server):
        assert server.holder.startswith("jo on ")
    assert server.now - NOON >= timedelta(seconds=3)


def test_one_whose_holder_was_killed_is_taken_over_when_it_expires(server: LeaseServer):
    server.take("ann", seconds_ago=61)
    with taken(server):
        assert server.holder.startswith("jo on ")


@pytest.mark.parametrize("there", [False, True])
def test_of_two_who_see_it_free_one_gets_it(server: LeaseServer, there: bool):
    if there:
        server.take("ann", seconds_ago=61)
    server.before_write = lambda: server.take("bob")
    with pytest.raises(PlainError, match="another promotion is under way, by bob"), taken(server):
        pass
    assert server.holder == "bob"


def test_one_that_was_taken_over_cannot_be_renewed_and_is_left_to_the_other(server: LeaseServer):
    lease: Held
    with taken(server) as lease:
        lease.renew()
        server.take("ann")
        with pytest.raises(PlainError, match="another promotion has begun meanwhile"):
            lease.renew()
    assert server.holder == "ann"


def test_who_may_not_is_told_so(server: LeaseServer):
    def refuse(path: str, body: Object) -> Object:
        raise ApiError(FORBIDDEN, "jo may not do this; assume the role team-science")

    server.create = refuse
    with pytest.raises(PlainError, match="assume the role team-science"), taken(server):
        pass
