"""HTTP client of a worker's pod. Answers come from the project's code: their size is limited and they are validated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import pandas as pd
import requests
from pydantic import BaseModel, ValidationError

from ml_workloads.runtime.errors import CodeError, PlatformError, ProjectError
from ml_workloads.runtime.handover import tables
from ml_workloads.runtime.recipe import Recipe
from ml_workloads.runtime.worker import messages
from ml_workloads.runtime.worker.messages import ContractAnswer, Method, ModelAnswer, Predictions, Problem

Answer = TypeVar("Answer", bound=BaseModel)
MAX_BYTES: Final = 1024**3
"""Maximum size of one answer."""

_CONNECT_SECONDS: Final = 10.0
_CHUNK: Final = 1024 * 1024


class WorkerAnswerError(ProjectError):
    """The project's code makes a worker send an answer that does not match the protocol."""


class HttpWorker:
    """Client of one worker. `address` waits for the pod, and is called at the first request."""

    def __init__(self, address: Callable[[], str]) -> None:
        self._find, self._address = address, ""
        self._session = requests.Session()
        self._session.trust_env = False

    def contract(self) -> ContractAnswer:
        return self._ask(ContractAnswer, "GET", messages.CONTRACT)

    def data(self) -> bytes:
        return self._call("GET", messages.DATA)

    def check(self, raw: pd.DataFrame, target: str) -> Recipe:
        return self._ask(Recipe, "POST", messages.CHECK, tables.to_bytes(raw), {"target": target})

    def load(self, saved: bytes) -> ModelAnswer:
        return self._ask(ModelAnswer, "PUT", messages.MODEL, saved)

    def ask(self, method: Method, rows: pd.DataFrame) -> Predictions:
        return self._ask(Predictions, "POST", messages.PREDICT, tables.to_bytes(rows), {"method": method})

    def _ask(
        self,
        kind: type[Answer],
        method: str,
        path: str,
        body: bytes | None = None,
        query: dict[str, str] | None = None,
    ) -> Answer:
        content = self._call(method, path, body, query)
        try:
            return kind.model_validate_json(content)
        except ValidationError as error:
            said = error.errors()[0]
            where = ".".join(str(step) for step in said["loc"][:5])
            raise WorkerAnswerError(
                f"the project's code answers {path} with something else: {where}: {said['msg']}"
            ) from None

    def _call(self, method: str, path: str, body: bytes | None = None, query: dict[str, str] | None = None) -> bytes:
        self._address = self._address or f"http://{_host(self._find())}:{messages.PORT}"
        try:
            with self._session.request(
                method, f"{self._address}{path}", data=body, params=query, stream=True, timeout=(_CONNECT_SECONDS, None)
            ) as answer:
                content = _limited(answer)
        except requests.RequestException as error:
            raise PlatformError(f"the worker does not answer {path}: {error}") from error
        if answer.ok:
            return content
        raise _error(answer.status_code, content)


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _limited(answer: requests.Response) -> bytes:
    found = bytearray()
    for chunk in answer.iter_content(_CHUNK):
        found += chunk
        if len(found) > MAX_BYTES:
            raise WorkerAnswerError(f"the project's code answers with more than {MAX_BYTES} bytes")
    return bytes(found)


def _error(status: int, content: bytes) -> Exception:
    try:
        said = Problem.model_validate_json(content).error
    except ValidationError:
        said = f"HTTP status {status}"
    if status == messages.REFUSED:
        return ProjectError(said)
    return CodeError(f"the project's code failed with {said}")
