"""HTTP application: `/predict`, health, metrics, and an OpenAPI document that follows the model's signature."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

from anyio import to_thread
from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from pydantic import ValidationError
from pydantic_core import from_json
from starlette.requests import ClientDisconnect

from ml_workloads.runtime.serving.bodies import BODY_SECONDS, Bodies
from ml_workloads.runtime.serving.columns import table
from ml_workloads.runtime.serving.models import Follower, Servable
from ml_workloads.runtime.serving.prediction_errors import PredictionError, problems

MAX_BYTES = 1024 * 1024


class Metrics:
    """Prometheus metrics of a server. https://prometheus.io/docs/practices/naming/"""

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


def application(
    follower: Follower,
    metrics: Metrics,
    *,
    max_concurrency: int = 32,
    max_bytes: int = MAX_BYTES,
    body_seconds: float = BODY_SECONDS,
) -> FastAPI:
    """Create the server application.

    Args:
        follower: Provides the current model.
        metrics: Counts answers.
        max_concurrency: Maximum number of requests in progress, counted from when their bodies are complete; further
            requests are answered with 503.
        max_bytes: Maximum size of a body.
        body_seconds: Maximum time for a body to be complete.
    """
    app = FastAPI(title="Model server", docs_url="/docs", redoc_url=None)
    bodies = Bodies(max_bytes, body_seconds)
    slots = _Slots(max_concurrency, metrics)

    @app.post("/predict")
    async def predict(request: Request) -> Response:
        began, status = time.perf_counter(), 500
        try:
            slots.demand()
            body = await bodies.read(request)
            with slots.taken():
                rows, answer = await _predict(_bound(follower), body)
            metrics.rows.inc(rows)
            status = 200
            return answer
        except PredictionError as refusal:
            status = refusal.status
            return refusal.answer()
        except ClientDisconnect:
            status = 499  # nginx's code for a client that left; nobody reads this answer
            return Response(status_code=status)
        finally:
            metrics.requests.labels(str(status)).inc()
            if status != 503:
                metrics.seconds.observe(time.perf_counter() - began)

    @app.get("/healthz")
    async def healthy() -> dict[str, str]:
        """Report that the process works.

        A model that cannot be loaded does not count, because a restart would not fix it.
        """
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

    app.openapi = lambda: _openapi(app, follower.model)  # not cached: another version may have other columns
    return app


class _Slots:
    """Requests whose bodies are complete and which are not answered yet."""

    def __init__(self, most: int, metrics: Metrics) -> None:
        self._most, self._metrics, self._used = most, metrics, 0

    def demand(self) -> None:
        """Raise Refusal if there is no free slot, before a body is read in vain."""
        if self._used >= self._most:
            raise PredictionError(503, f"{self._used} requests are worked on; try again", {"Retry-After": "1"})

    @contextmanager
    def taken(self) -> Generator[None]:
        """Take a slot until the end of the block."""
        self.demand()
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    def _count(self, more: int) -> None:
        self._used += more
        self._metrics.in_flight.set(self._used)


def _identity(model: Servable) -> dict[str, str]:
    return {"name": model.name, "version": model.version}


def _bound(follower: Follower) -> Servable:
    """Return the version that answers this request. A version that is loaded meanwhile answers the next request."""
    model = follower.model
    if model is None:
        raise PredictionError(503, follower.problem, {"Retry-After": "5"})
    return model


async def _predict(model: Servable, body: bytes) -> tuple[int, Response]:
    """Return the number of rows, and the answer. Slow work on large bodies runs outside of the event loop."""
    predictions = await to_thread.run_sync(_predictions, model, body)
    try:
        return len(predictions), JSONResponse({"predictions": predictions, "model": _identity(model)})
    except (TypeError, ValueError) as error:
        raise PredictionError(500, f"version {model.version} answered what JSON cannot carry: {error}") from error


def _predictions(model: Servable, body: bytes) -> Sequence[Any]:
    try:
        # If pydantic validated the JSON text itself, the error of each missing field would keep a copy of its whole
        # row.
        asked = model.request.model_validate(from_json(body))
    except ValidationError as error:
        raise PredictionError(422, problems(error)) from None
    except ValueError as error:
        problem: dict[str, Any] = {"loc": [], "msg": f"Invalid JSON: {error}", "type": "json_invalid"}
        raise PredictionError(422, [problem]) from None
    try:
        return model.predict(table(asked, model.columns))
    except Exception as error:
        raise PredictionError(500, f"version {model.version} failed on this request: {type(error).__name__}") from error


def _openapi(app: FastAPI, model: Servable | None) -> dict[str, Any]:
    """Return the OpenAPI document with the columns of the current model."""
    document = get_openapi(title=app.title, version=model.version if model else "0", routes=app.routes)
    if model is None:
        return document
    schema = model.request.model_json_schema(ref_template="#/components/schemas/{model}")
    parts = {**schema.pop("$defs", {}), "PredictRequest": schema}
    document.setdefault("components", {}).setdefault("schemas", {}).update(parts)
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/PredictRequest"}}}
    document["paths"]["/predict"]["post"]["requestBody"] = {"required": True, "content": content}
    return document
