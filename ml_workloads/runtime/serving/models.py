"""The model that is served: loaded from a registry, and exchanged when the alias names another version."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import pandas as pd
from pydantic import BaseModel

from ml_workloads.runtime.serving.columns import Column, request_model

LOG = logging.getLogger(__name__)
# An alias that moves is followed within 30 seconds, of which loading needs some.
FOLLOW_SECONDS = 10.0
# What may pass, such as a network that is down, is tried again within a minute; what most likely never works is not
# downloaded more often than this.
MOST_SECONDS, MOST_SECONDS_UNSERVABLE = 60.0, 600.0


class UnservableError(RuntimeError):
    """The content of a version cannot be served, however often it is loaded. The message says why."""


@dataclass(frozen=True, kw_only=True)
class Servable:
    """A version of a model, ready to answer."""

    name: str
    version: str
    columns: Sequence[Column]
    predict: Callable[[pd.DataFrame], Sequence[Any]]

    @cached_property
    def request(self) -> type[BaseModel]:
        return request_model(self.columns)


class Registry(Protocol):
    """Where models come from."""

    def current(self) -> str | None:
        """The version that the alias names now, or None when it names none; raises when nobody can be asked."""
        ...

    def load(self, version: str) -> Servable:
        """The model of a version; raises UnservableError where another try would end the same way."""
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

    While the registry does not answer, or what it hands out cannot be loaded, the version before goes on answering.
    A version that failed is loaded again after a pause that doubles, up to a minute, or up to ten minutes where its
    content is the reason; an alias that moves meanwhile is followed at once.
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
        self._on_failure = on_failure or (lambda _stage: None)
        self._failures = 0
        self._broken: _Failure | None = None
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self.model: Servable | None = None
        self.problem = "no model has been loaded yet"
        self.nothing_to_serve = False

    def step(self) -> bool:
        """Look once. Return whether what the alias names is what is served."""
        try:
            version = self._registry.current()
        except Exception as error:
            self._failures += 1
            return self._failed("registry", f"the registry does not say which version to serve: {_words(error)}")
        self._failures = 0
        self.nothing_to_serve = version is None
        if version is None:
            return self._nothing()
        if self.model is not None and self.model.version == version:
            return self._fine()
        if self._broken and self._broken.version == version and self._clock() < self._broken.again_at:
            self.problem = self._broken.problem
            return False
        return self._load(version)

    def _load(self, version: str) -> bool:
        try:
            loaded = self._registry.load(version)
            _ = loaded.request  # made here, so that a signature that cannot be served keeps it out
        except Exception as error:
            return self._cannot_load(version, error)
        before = self.model.version if self.model else "nothing"
        self.model = loaded
        LOG.info("serving version %s of %s, before: %s", version, loaded.name, before)
        return self._fine()

    def _cannot_load(self, version: str, error: Exception) -> bool:
        before = self._broken
        count = before.count + 1 if before and before.version == version else 1
        most = MOST_SECONDS_UNSERVABLE if isinstance(error, UnservableError) else MOST_SECONDS
        pause = min(self._seconds * 2 ** min(count - 1, 30), max(most, self._seconds))
        words = _shortened(str(error)) if isinstance(error, UnservableError) else _words(error)
        problem = f"version {version} cannot be loaded: {words}"
        # Kept without the exception, whose traceback would hold on to what was loaded so far.
        self._broken = _Failure(version=version, problem=problem, count=count, again_at=self._clock() + pause)
        return self._failed("load", problem)

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def pause(self) -> float:
        """Return the seconds until the next look at the alias."""
        return min(self._seconds * 2 ** min(30, max(0, self._failures - 1)), max(MOST_SECONDS, self._seconds))

    def _run(self) -> None:
        while not self._ending.is_set():
            self.step()
            self._ending.wait(self.pause())

    @property
    def ready(self) -> bool:
        """Whether what the registry says is carried out; so it is too where nothing has been promoted yet."""
        return self.model is not None or self.nothing_to_serve

    def _nothing(self) -> bool:
        """The alias names no version. One that answers goes on: an alias may be taken away by mistake."""
        self._broken = None
        self.problem = "no version has been promoted to be served yet"
        return self.model is None

    def _fine(self) -> bool:
        self._broken, self.problem = None, ""
        return True

    def _failed(self, stage: str, problem: str) -> bool:
        if problem != self.problem:
            LOG.error("%s", problem)
        self.problem = problem
        self._on_failure(stage)
        return False


def _words(error: Exception) -> str:
    return _shortened(f"{type(error).__name__}: {error}")


def _shortened(text: str) -> str:
    return " ".join(text.split())[:500]
