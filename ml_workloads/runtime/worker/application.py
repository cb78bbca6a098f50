"""HTTP application of a worker: it runs the project's code, and no exception of that code ends the server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from anyio import to_thread
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from ml_workloads.runtime.data.errors import DataError
from ml_workloads.runtime.errors import ProjectError
from ml_workloads.runtime.handover import tables
from ml_workloads.runtime.training.telling import one_line
from ml_workloads.runtime.worker import messages
from ml_workloads.runtime.worker.answers import Contracts, Models


def application(contracts: Contracts, models: Models, data: Path | None) -> FastAPI:
    """Create the server application.

    Args:
        contracts: Answers about the project's contract.
        models: Holds the model that predicts.
        data: The project's data in its image, if it is there.
    """
    app = FastAPI(title="Worker", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get(messages.HEALTH)
    async def healthy() -> dict[str, str]:
        return {"status": "ok"}

    @app.get(messages.CONTRACT)
    async def contract() -> Response:
        return await _answer(lambda: contracts.text_columns().model_dump())

    @app.get(messages.DATA)
    async def table() -> Response:
        return await _bytes(lambda: _file(data))

    @app.post(messages.CHECK)
    async def check(request: Request, target: str) -> Response:
        body = await request.body()
        return await _answer(lambda: contracts.check(tables.from_bytes(body), target).model_dump())

    @app.put(messages.MODEL)
    async def model(request: Request) -> Response:
        body = await request.body()
        return await _answer(lambda: models.load(body).model_dump())

    @app.post(messages.PREDICT)
    async def predict(request: Request, method: messages.Method = "predict") -> Response:
        body = await request.body()
        return await _answer(lambda: models.ask(method, tables.from_bytes(body)).model_dump())

    return app


def _file(data: Path | None) -> bytes:
    if data is None or not data.is_file():
        raise DataError(f"{data}: there is no such file; it has to be copied into the image")
    return data.read_bytes()


async def _answer(call: Callable[[], Any]) -> Response:
    return await _guarded(lambda: JSONResponse(call()))


async def _bytes(call: Callable[[], bytes]) -> Response:
    return await _guarded(lambda: Response(call(), media_type="application/octet-stream"))


async def _guarded(call: Callable[[], Response]) -> Response:
    """Run the project's code outside of the event loop, and return its exceptions as answers."""
    try:
        return await to_thread.run_sync(call)
    except ProjectError as error:
        return _problem(messages.REFUSED, str(error))
    except (Exception, SystemExit) as error:
        return _problem(messages.FAILED, one_line(error))


def _problem(status: int, text: str) -> Response:
    return JSONResponse(messages.Problem(error=text[:20_000]).model_dump(), status_code=status)
