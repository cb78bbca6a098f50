"""The served model: it is loaded from a registry, and replaced when the alias names another version."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Protocol

import pandas as pd
from pydantic import BaseModel

from ml_workloads.runtime.serving.columns import Column, request_model

LOG = logging.getLogger(__name__)
# A moved alias is followed within 30 seconds, of which loading takes a part.
FOLLOW_SECONDS = 10.0
# Temporary failures, such as a network that is down, are retried within a minute. A version that most likely never
# works is not downloaded more often than every ten minutes.
MOST_SECONDS, MOST_SECONDS_UNSERVABLE = 60.0, 600.0

Outcome = Literal["served", "nothing named", "registry failed", "load failed", "load postponed"]
"""Result of one check of the alias. Except after `served`, a version that was loaded before continues to answer."""


class UnservableError(RuntimeError):
    """The content of a version cannot be served, however often it is loaded. The message names the reason."""


@dataclass(frozen=True, kw_only=True)
class Servable:
    """A loaded version of a model."""

    name: str
    version: str
    columns: Sequence[Column]
    predict: Callable[[pd.DataFrame], Sequence[Any]]

    @cached_property
    def request(self) -> type[BaseModel]:
        return request_model(self.columns)


class Registry(Protocol):
    """Source of models."""

    def current(self) -> str | None:
        """Return the version that the alias names now, or None if it names none.

        Raises:
            Exception: the registry cannot be reached.
        """
        ...

    def load(self, version: str) -> Servable:
        """Return the model of a version.

        Raises:
            UnservableError: a retry would fail the same way.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class _Failure:
    """A version that could not be loaded. Times are in seconds of the follower's clock."""

    version: str
    problem: str
    count: int
    again_at: float


class Follower:
    """Keeps the version that the alias names loaded.

    While the registry does not answer, or its version cannot be loaded, the previous version continues to answer. A
    version that failed is loaded again after a pause that doubles, up to a minute, or up to ten minutes if its content
    is the reason; an alias that moves meanwhile is followed at once.
    """

    def __init__(
        self,
        registry: Registry,
        *,
        seconds: float = FOLLOW_SECONDS,
        on_failure: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._registry, self._seconds, self._clock = registry, seconds, clock
        self._on_failure: Callable[[str], None] = on_failure or (lambda _stage: None)
        self._failures = 0
        self._broken: _Failure | None = None
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self.model: Servable | None = None
        self.problem = "no model has been loaded yet"
        self.nothing_to_serve = False

    def step(self) -> Outcome:
        """Check the alias once, and load the version that it names if that one is not served yet."""
        try:
            version = self._registry.current()
        except Exception as error:
            self._failures += 1
            self._fail("registry", f"the registry does not say which version to serve: {_words(error)}")
            return "registry failed"
        self._failures = 0
        self.nothing_to_serve = version is None
        if version is None:
            # A loaded version continues to answer: an alias may be removed by mistake.
            self._broken, self.problem = None, "no version has been promoted to be served yet"
            return "nothing named"
        if self.model is None or self.model.version != version:
            if self._broken and self._broken.version == version and self._clock() < self._broken.again_at:
                self.problem = self._broken.problem
                return "load postponed"
            try:
                self.model = self._loaded(version)
            except Exception as error:
                self._broken = self._failure(version, error)
                self._fail("load", self._broken.problem)
                return "load failed"
        self._broken, self.problem = None, ""
        return "served"

    def _loaded(self, version: str) -> Servable:
        loaded = self._registry.load(version)
        _ = loaded.request  # built here, so that a version with an unservable signature is rejected
        before = self.model.version if self.model else "nothing"
        LOG.info("serving version %s of %s, before: %s", version, loaded.name, before)
        return loaded

    def _failure(self, version: str, error: Exception) -> _Failure:
        """Return the failure without the exception, whose traceback would keep everything loaded so far in memory."""
        before = self._broken
        count = before.count + 1 if before and before.version == version else 1
        most = MOST_SECONDS_UNSERVABLE if isinstance(error, UnservableError) else MOST_SECONDS
        pause = min(self._seconds * 2 ** min(count - 1, 30), max(most, self._seconds))
        words = _shortened(str(error)) if isinstance(error, UnservableError) else _words(error)
        problem = f"version {version} cannot be loaded: {words}"
        return _Failure(version=version, problem=problem, count=count, again_at=self._clock() + pause)

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def pause(self) -> float:
        """Return the seconds until the next check of the alias."""
        return min(self._seconds * 2 ** min(30, max(0, self._failures - 1)), max(MOST_SECONDS, self._seconds))

    def _run(self) -> None:
        while not self._ending.is_set():
            self.step()
            self._ending.wait(self.pause())

    @property
    def ready(self) -> bool:
        """Return whether the server is in the registry's state: a model is loaded, or none is promoted yet."""
        return self.model is not None or self.nothing_to_serve

    def _fail(self, stage: str, problem: str) -> None:
        if problem != self.problem:
            LOG.error("%s", problem)
        self.problem = problem
        self._on_failure(stage)


def _words(error: Exception) -> str:
    return _shortened(f"{type(error).__name__}: {error}")


def _shortened(text: str) -> str:
    return " ".join(text.split())[:500]
