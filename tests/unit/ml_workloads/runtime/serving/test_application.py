"""The HTTP side: answers, rejections with their field, limits, health, metrics and the OpenAPI document."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Sequence
from typing import Annotated, Any

import httpx
import pandas as pd
import pytest
from fastapi.testclient import TestClient
from pydantic import BaseModel, BeforeValidator

from ml_workloads.runtime.serving.application import Metrics, application
from ml_workloads.runtime.serving.column_types import NumberType
from ml_workloads.runtime.serving.columns import Column
from ml_workloads.runtime.serving.models import Follower
from tests.unit.ml_workloads.runtime.serving.registries import Shelf, servable

ROW = {"age": 30, "spent in total": 1.5, "country": "DE"}


class Server:
    def __init__(self, shelf: Shelf, **limits: int) -> None:
        self.shelf, self.metrics = shelf, Metrics()
        self.follower = Follower(shelf, on_failure=self.metrics.failed)
        self.app = application(self.follower, self.metrics, **limits)
        self.client = TestClient(self.app, raise_server_exceptions=False)

    def predict(self, body: Any, **more: Any) -> httpx.Response:
        return self.client.post("/predict", content=body if isinstance(body, bytes) else json.dumps(body), **more)

    def metric(self, line: str) -> bool:
        return line in self.client.get("/metrics").text.splitlines()


@pytest.fixture
def server() -> Server:
    made = Server(Shelf(servable("3"), servable("4")), max_bytes=2000)
    made.follower.step()
    return made


def test_an_answer_names_the_version_that_gave_it(server: Server):
    answer = server.predict({"instances": [ROW, {**ROW, "age": 40}]})
    assert answer.status_code == 200
    assert answer.json() == {"predictions": [30, 40], "model": {"name": "churn", "version": "3"}}
    server.shelf.alias = "4"
    server.follower.step()
    assert server.predict({"instances": [ROW]}).json()["model"]["version"] == "4"


WRONG: dict[str, tuple[Any, list[Any]]] = {
    "missing field": ({"instances": [{"spent in total": 1.5}]}, ["instances", 0, "age"]),
    "extra field": ({"instances": [{**ROW, "zebra": 1}]}, ["instances", 0, "zebra"]),
    "text for a number": ({"instances": [ROW, {**ROW, "age": "30"}]}, ["instances", 1, "age"]),
    "fraction for a whole number": ({"instances": [{**ROW, "age": 30.5}]}, ["instances", 0, "age"]),
    "truth for a number": ({"instances": [{**ROW, "age": True}]}, ["instances", 0, "age"]),
    "number for text": ({"instances": [{**ROW, "country": 49}]}, ["instances", 0, "country"]),
    "number beyond 64 bits": ({"instances": [{**ROW, "age": 2**63}]}, ["instances", 0, "age"]),
    "nothing for what is required": ({"instances": [{**ROW, "age": None}]}, ["instances", 0, "age"]),
    "NaN": (b'{"instances": [{"age": 1, "spent in total": NaN}]}', ["instances", 0, "spent in total"]),
    "infinity": (b'{"instances": [{"age": 1, "spent in total": -Infinity}]}', ["instances", 0, "spent in total"]),
    "no rows": ({"instances": []}, ["instances"]),
    "another protocol": ({"inputs": [[1, 2]]}, ["instances"]),
    "row that is a list": ({"instances": [[30, 1.5]]}, ["instances", 0]),
    "no JSON": (b"age=30", []),
    "nothing at all": (b"", []),
    "not UTF-8": (b'{"instances": [{"age": 1, "country": "\xff"}]}', []),
    "brackets without end": (b"[" * 1500, []),
}


@pytest.mark.parametrize(("body", "field"), WRONG.values(), ids=WRONG)
def test_a_wrong_request_is_refused_with_the_field(server: Server, body: Any, field: list[Any]):
    answer = server.predict(body)
    assert answer.status_code == 422
    assert field in [problem["loc"] for problem in answer.json()["detail"]]
    assert all(problem["msg"] for problem in answer.json()["detail"])


MANY = tuple(Column(name=f"c{number}", type=NumberType(dtype="float64")) for number in range(500))
ROW_OF_MANY = {column.name: 1.0 for column in MANY}
EXCESSIVE: dict[str, tuple[Any, int]] = {
    "rows without any column": ([{}] * 1000, 480),
    "unknown columns": ([{f"z{number}": 1 for number in range(5000)}], 5480),
    "name as long as a body": ([{"z" * 100_000: 1, **ROW_OF_MANY}], 0),
}


@pytest.mark.parametrize(("rows", "more"), EXCESSIVE.values(), ids=EXCESSIVE)
def test_a_small_request_cannot_make_a_large_answer(rows: Any, more: int):
    server = Server(Shelf(servable(columns=MANY, predict=lambda table: table["c1"].tolist())))
    server.follower.step()
    answer = server.predict({"instances": rows})
    detail = answer.json()["detail"]
    assert (answer.status_code, len(detail)) == (422, 21 if more else 1)
    assert len(answer.content) < 10_000
    assert not more or detail[-1] == {"loc": [], "msg": f"and {more} more problems", "type": "more"}
    assert server.predict({"instances": [ROW_OF_MANY] * 2}).json()["predictions"] == [1.0, 1.0]


def test_requests_are_checked_outside_of_the_event_loop():
    found: list[bool] = []

    def in_a_loop(value: Any) -> Any:
        found.append(asyncio._get_running_loop() is not None)  # pyright: ignore[reportPrivateUsage]
        return value

    class Asked(BaseModel):
        instances: Annotated[list[Any], BeforeValidator(in_a_loop)]

    model = servable(columns=(), predict=lambda _table: [])
    vars(model)["request"] = Asked
    server = Server(Shelf(model))
    server.follower.step()
    assert server.predict({"instances": []}).status_code == 200
    assert found == [False]


def test_what_was_sent_is_not_sent_back(server: Server):
    assert "confidential" not in server.predict({"instances": [{**ROW, "age": "confidential"}]}).text


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_that_is_too_large_is_refused(server: Server, declared: bool):
    body = json.dumps({"instances": [ROW] * 100}).encode()
    answer = server.client.post("/predict", content=body if declared else iter([body[:1500], body[1500:]]))
    assert answer.status_code == 413
    assert answer.json()["detail"] == "the body is larger than 2000 bytes; send fewer rows at a time"


def test_more_rows_than_a_request_may_have_are_refused():
    server = Server(Shelf(servable()))
    server.follower.step()
    assert server.predict({"instances": [ROW] * 1001}).status_code == 422
    assert server.predict({"instances": [ROW] * 1000}).status_code == 200


def test_a_model_that_fails_on_a_request_answers_500_without_its_data(server: Server):
    def fails(table: pd.DataFrame) -> Sequence[Any]:
        raise ValueError(f"cannot work with {table.to_dict()}")

    server.shelf.models["4"] = servable("4", predict=fails)
    server.shelf.alias = "4"
    server.follower.step()
    answer = server.predict({"instances": [ROW]})
    assert (answer.status_code, answer.json()["detail"]) == (500, "version 4 failed on this request: ValueError")
    server.shelf.alias = "3"
    server.follower.step()
    assert server.predict({"instances": [ROW]}).status_code == 200


def test_an_answer_that_json_cannot_carry_is_a_failure_and_counted_as_one(server: Server):
    server.shelf.models["4"] = servable("4", predict=lambda _table: [float("nan")])
    server.shelf.alias = "4"
    server.follower.step()
    answer = server.predict({"instances": [ROW]})
    assert answer.status_code == 500
    assert "version 4 answered what JSON cannot carry" in answer.json()["detail"]
    assert server.metric('predict_requests_total{code="500"} 1.0')
    assert server.metric("predict_instances_total 0.0")


def test_a_client_that_leaves_is_counted_as_such_and_frees_its_place(server: Server):
    scope = {"type": "http", "method": "POST", "path": "/predict", "headers": [], "query_string": b""}

    async def leaves() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async def unread(_message: Any) -> None:
        pass

    asyncio.run(server.app(scope, leaves, unread))
    assert server.metric('predict_requests_total{code="499"} 1.0')
    assert server.metric("predict_in_flight 0.0")


def test_without_a_model_it_is_healthy_but_not_ready():
    server = Server(Shelf())
    server.shelf.down = True
    assert server.client.get("/healthz").status_code == 200
    assert server.client.get("/readyz").status_code == 503
    server.follower.step()
    refused = server.predict({"instances": [ROW]})
    assert refused.status_code == 503
    assert "connection refused" in refused.json()["detail"]
    assert refused.headers["retry-after"] == "5"
    assert "connection refused" in server.client.get("/readyz").json()["problem"]


def test_where_nothing_has_been_promoted_yet_it_is_ready_to_say_so():
    server = Server(Shelf())
    server.follower.step()
    assert server.client.get("/readyz").status_code == 200
    refused = server.predict({"instances": [ROW]})
    assert (refused.status_code, refused.json()["detail"]) == (503, "no version has been promoted to be served yet")


def test_a_version_whose_alias_is_taken_away_goes_on_answering(server: Server):
    server.shelf.alias = None
    assert server.follower.step() == "nothing named"
    assert server.predict({"instances": [ROW]}).status_code == 200
    assert "no version has been promoted" in server.client.get("/readyz").json()["problem"]


def test_it_stays_ready_while_the_registry_is_down(server: Server):
    server.shelf.down = True
    server.follower.step()
    ready = server.client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["model"] == {"name": "churn", "version": "3"}
    assert "connection refused" in ready.json()["problem"]


def test_requests_beyond_the_limit_are_told_to_come_again():
    entered, go_on = threading.Semaphore(0), threading.Event()

    def waits(table: pd.DataFrame) -> Sequence[Any]:
        entered.release()
        assert go_on.wait(20)
        return table["age"].tolist()

    server = Server(Shelf(servable(predict=waits)), max_concurrency=2)
    server.follower.step()

    async def load() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=server.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            first = [asyncio.create_task(client.post("/predict", json={"instances": [ROW]})) for _ in range(2)]
            for _ in first:
                assert await asyncio.to_thread(entered.acquire, timeout=20)
            third = await client.post("/predict", json={"instances": [ROW]})
            go_on.set()
            answers = await asyncio.gather(*first)
            return [*answers, third, await client.post("/predict", json={"instances": [ROW]})]

    answers = asyncio.run(load())
    assert [answer.status_code for answer in answers] == [200, 200, 503, 200]
    assert answers[2].headers["retry-after"] == "1"
    assert server.metric("predict_in_flight 0.0")


def test_metrics_count_answers_rows_and_the_version(server: Server):
    server.predict({"instances": [ROW, ROW]})
    server.predict(b"")
    server.shelf.down = True
    server.follower.step()
    for line in (
        'predict_requests_total{code="200"} 1.0',
        'predict_requests_total{code="422"} 1.0',
        "predict_instances_total 2.0",
        'model_info{name="churn",version="3"} 1.0',
        'model_follow_failures_total{stage="registry"} 1.0',
    ):
        assert server.metric(line), line


def test_the_document_describes_the_columns_of_the_version_that_answers(server: Server):
    def described() -> dict[str, Any]:
        schemas = server.client.get("/openapi.json").json()["components"]["schemas"]
        return schemas["Instance"]

    assert set(described()["properties"]) == {"age", "spent in total", "country"}
    assert set(described()["required"]) == {"age", "spent in total"}
    server.shelf.models["4"] = servable("4", (Column(name="age", type=NumberType(dtype="float64")),))
    server.shelf.alias = "4"
    server.follower.step()
    assert set(described()["properties"]) == {"age"}
