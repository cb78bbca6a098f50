"""HTTP answers other than predictions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import Response
from fastapi.responses import JSONResponse
from pydantic import ValidationError

MAX_PROBLEMS: Final = 20
_MAX_TEXT: Final = 200
"""Maximum length of a name or message. An unknown field may have a name as long as the body."""


class PredictionError(Exception):
    """An answer other than a prediction. `detail` is a text for people, or a list of problems with their fields."""

    def __init__(self, status: int, detail: object, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers

    def answer(self) -> Response:
        return JSONResponse({"detail": self.detail}, status_code=self.status, headers=dict(self.headers or {}))


def problems(error: ValidationError) -> list[dict[str, Any]]:
    """Return the problems of a request: the first 20, and one more entry with the number of others.

    An entry has the location `loc`, the message `msg` and pydantic's `type`. Values of the request are not repeated.
    """
    found = error.errors(include_url=False, include_context=False, include_input=False)
    told: list[dict[str, Any]] = [
        {"loc": [_short(part) for part in each["loc"]], "msg": _short(each["msg"]), "type": each["type"]}
        for each in found[:MAX_PROBLEMS]
    ]
    more = len(found) - len(told)
    if more:
        told.append({"loc": [], "msg": f"and {more} more problems", "type": "more"})
    return told


def _short(part: Any) -> Any:
    return f"{part[:_MAX_TEXT]}..." if isinstance(part, str) and len(part) > _MAX_TEXT else part
