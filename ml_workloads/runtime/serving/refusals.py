"""Answers other than predictions."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Response
from fastapi.responses import JSONResponse


class Refusal(Exception):
    """An answer other than a prediction. `detail` is for people, or a list of what is wrong with which field."""

    def __init__(self, status: int, detail: object, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers

    def answer(self) -> Response:
        return JSONResponse({"detail": self.detail}, status_code=self.status, headers=dict(self.headers or {}))
