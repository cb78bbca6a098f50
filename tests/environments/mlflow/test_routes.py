"""Every route of the pinned MLflow is deliberately either offered to accounts or denied."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from mlflow_server.refusals import JUDGED
from mlflow_server.routes import PAGES, READS, WRITES

from tests.environments.mlflow.conftest import OWN, READER
from tests.environments.mlflow.running import Server, routes_of_mlflow

REFUSED = Path(__file__).with_name("refused_routes.txt")
NO_REQUESTS = ("HEAD", "OPTIONS")
OFFERED = READS | PAGES | WRITES


def refused() -> set[tuple[str, str]]:
    lines = [line.split() for line in REFUSED.read_text().splitlines()]
    return {(method, route) for route, *methods in lines for method in methods}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, str, str]]:
    found = routes_of_mlflow(tmp_path_factory.mktemp("routes"))
    return {each for each in found if each[0] not in NO_REQUESTS}


def address(rule: str) -> str:
    """Return an address that matches a rule; the object that it names does not exist."""
    filled = re.sub(r"<[^>]+>", "77", rule)
    return filled if filled.startswith("/") else f"/{filled}"


def test_whoever_pins_another_mlflow_decides_on_each_route_that_it_adds(served: set[tuple[str, str, str]]) -> None:
    there, known = {(method, route) for method, route, _ in served}, OFFERED | refused()
    assert sorted(there - known) == [], "decide in mlflow_server/routes.py or refused_routes.txt"
    assert sorted(known - there) == [], "MLflow has these no longer; take them out"
    assert sorted(OFFERED & refused()) == []
    assert sorted(JUDGED - OFFERED) == []


def test_the_lists_of_what_is_read_hold_nothing_that_writes() -> None:
    """The methods other than GET only query: their body is too long for an address."""
    asking = {route for method, route in READS | PAGES if method != "GET"}
    assert {method for method, _ in READS | PAGES} == {"GET", "POST"}
    assert sorted(route for route in asking if "search" not in route) == [
        *("graphql", "registered-models/get-latest-versions", "traces/batchGetInfos"),
        *("traces/calculate-filter-correlation", "traces/metrics", "ui-telemetry"),
    ]


def test_what_is_not_offered_is_refused_under_every_address_with_who_may_do_it(
    server: Server, served: set[tuple[str, str, str]]
) -> None:
    """This includes routes that FastAPI serves and Flask does not know."""
    wrong: list[str] = []
    for method, route, rule in sorted(served):
        for user, words in ((OWN, "only MLflow's administrator"), (READER, f"{READER} is the account")):
            if (method, route) in refused():
                answer = server.ask(user, method, address(rule), None if method == "GET" else {})
                if answer.status != 403 or not answer.said.startswith(words):
                    wrong.append(f"{user} {method} {rule}: {answer.status} {answer.said[:100]}")
    assert wrong == []


def test_a_reader_is_refused_at_everything_that_writes(server: Server, served: set[tuple[str, str, str]]) -> None:
    wrong: list[str] = []
    for method, route, rule in sorted(served):
        if (method, route) in WRITES:
            answer = server.ask(READER, method, address(rule), {})
            if answer.status != 403 or not answer.said.startswith(f"{READER} is the account"):
                wrong.append(f"{method} {rule}: {answer.status} {answer.said[:100]}")
    assert wrong == []


@pytest.mark.parametrize("host", ["127.0.0.1:1/api/2.0/mlflow/users/current?", "127.0.0.1:1/version#", "127.0.0.1:x"])
def test_a_host_that_is_none_does_not_make_another_route_of_a_request(server: Server, host: str) -> None:
    """FastAPI composes the address from the host header, and MLflow passes that address to the guard."""
    for path in ("/ajax-api/3.0/jobs/search", "/ajax-api/3.0/mlflow/assistant/config"):
        method = "POST" if path.endswith("search") else "GET"
        assert server.ask(OWN, method, path, {}).status == 403
        assert server.ask(OWN, method, path, {}, headers={"Host": host}).status in (400, 403), path
