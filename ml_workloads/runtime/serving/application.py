"""The HTTP side: `/predict`, health, metrics, and an OpenAPI document that follows the model's signature."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from anyio import to_thread
from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from pydantic import ValidationError
from starlette.requests import ClientDisconnect

from ml_workloads.runtime.serving.columns import table
from ml_workloads.runtime.serving.models import Follower, Servable

MAX_BYTES = 1024 * 1024


class Metrics:
    """https://prometheus.io/docs/practices/naming/"""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("predict_requests", "Answers by status.", ["code"], registry=self.registry)
        self.seconds = Histogram("predict_duration_seconds", "Time until the answer.", registry=self.registry)
        self.rows = Counter("predict_instances", "Rows that were predicted.", registry=self.registry)
        self.in_flight = Gauge("predict_in_flight", "Requests that are worked on.", registry=self.registry)
        self.model = Gauge("model_info", "1 for the version that answers.", ["name", "version"], registry=self.registry)
        self.failures = Counter(
            "model_follow_failures", "Looks for another version that failed.", ["stage"], registry=self.registry
        )

    def failed(self, stage: str) -> None:
        self.failures.labels(stage).inc()

    def text(self, model: Servable | None) -> bytes:
        self.model.clear()
        if model is not None:
            self.model.labels(model.name, model.version).set(1)
        return generate_latest(self.registry)


class Refusal(Exception):
    """An answer other than a prediction. `detail` is for people, or a list of what is wrong with which field."""

    def __init__(self, status: int, detail: object, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers


def application(
    follower: Follower, metrics: Metrics, *, max_concurrency: int = 32, max_bytes: int = MAX_BYTES
) -> FastAPI:
    """`max_concurrency` requests are worked on at once; more are told to come again, before they cost anything."""
    app = FastAPI(title="Model server", docs_url="/docs", redoc_url=None)
    in_flight = 0

    @app.post("/predict")
    async def predict(request: Request) -> Response:
        nonlocal in_flight
        began, status = time.perf_counter(), 500
        if in_flight >= max_concurrency:
            metrics.requests.labels("503").inc()
            return _answer(Refusal(503, f"{in_flight} requests are worked on; try again", {"Retry-After": "1"}))
        in_flight += 1
        metrics.in_flight.set(in_flight)
        try:
            rows, answer = await _predict(_bound(follower), await _body(request, max_bytes))
            metrics.rows.inc(rows)
            status = 200
            return answer
        except Refusal as refusal:
            status = refusal.status
            return _answer(refusal)
        except ClientDisconnect:
            status = 499  # as nginx counts those who did not wait; nobody reads this answer
            return Response(status_code=status)
        finally:
            in_flight -= 1
            metrics.in_flight.set(in_flight)
            metrics.requests.labels(str(status)).inc()
            metrics.seconds.observe(time.perf_counter() - began)

    @app.get("/healthz")
    async def healthy() -> dict[str, str]:
        """Whether the process works; a model that cannot be loaded is nothing that a restart mends."""
        return {"status": "ok"}

    @app.get("/readyz")
    async def ready() -> Response:
        model = follower.model
        if model is None:
            status = 200 if follower.ready else 503
            return JSONResponse({"status": "no model", "problem": follower.problem}, status_code=status)
        return JSONResponse({"status": "ready", "model": _identity(model), "problem": follower.problem})

    @app.get("/metrics", include_in_schema=False)
    async def scrape() -> Response:
        return Response(metrics.text(follower.model), media_type=CONTENT_TYPE_LATEST)

    app.openapi = lambda: _openapi(app, follower.model)  # not kept: another version may take other columns
    return app


def _identity(model: Servable) -> dict[str, str]:
    return {"name": model.name, "version": model.version}


def _answer(refusal: Refusal) -> Response:
    return JSONResponse({"detail": refusal.detail}, status_code=refusal.status, headers=dict(refusal.headers or {}))


def _bound(follower: Follower) -> Servable:
    """The version that a request keeps to: one that comes while it is worked on answers the next."""
    model = follower.model
    if model is None:
        raise Refusal(503, follower.problem, {"Retry-After": "5"})
    return model


async def _body(request: Request, max_bytes: int) -> bytes:
    """Read no more than is allowed, whatever the request says of its own length."""
    too_large = Refusal(413, f"the body is larger than {max_bytes} bytes; send fewer rows at a time")
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > max_bytes:
        raise too_large
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > max_bytes:
            raise too_large
    return bytes(body)


async def _predict(model: Servable, body: bytes) -> tuple[int, Response]:
    """How many rows, and the answer."""
    try:
        asked = model.request.model_validate_json(body)
    except ValidationError as error:
        problems = [{"loc": list(each["loc"]), "msg": each["msg"], "type": each["type"]} for each in error.errors()]
        raise Refusal(422, problems) from None
    try:
        predictions = await to_thread.run_sync(model.predict, table(asked, model.columns))
    except Exception as error:
        raise Refusal(500, f"version {model.version} failed on this request: {type(error).__name__}") from error
    try:
        return len(predictions), JSONResponse({"predictions": predictions, "model": _identity(model)})
    except (TypeError, ValueError) as error:
        raise Refusal(500, f"version {model.version} answered what JSON cannot carry: {error}") from error


def _openapi(app: FastAPI, model: Servable | None) -> dict[str, Any]:
    """With the columns of the model that answers now."""
    document = get_openapi(title=app.title, version=model.version if model else "0", routes=app.routes)
    if model is None:
        return document
    schema = model.request.model_json_schema(ref_template="#/components/schemas/{model}")
    parts = {**schema.pop("$defs", {}), "PredictRequest": schema}
    document.setdefault("components", {}).setdefault("schemas", {}).update(parts)
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/PredictRequest"}}}
    document["paths"]["/predict"]["post"]["requestBody"] = {"required": True, "content": content}
    return document
