"""Periodic work in a separate thread, so that a slow call does not block the supervisor."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable


class Repeated:
    """Thread that calls `work` periodically. It logs an error once, and again only when the error changes."""

    def __init__(self, name: str, seconds: float, work: Callable[[], None], log: logging.Logger) -> None:
        self._name = name
        self._seconds = seconds
        self._work = work
        self._log = log
        self._told: str | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, seconds: float = 5.0) -> None:
        """Stop the thread. Waits at most that many seconds for running work."""
        self._ending.set()
        self._thread.join(timeout=seconds)

    def _run(self) -> None:
        while not self._ending.wait(self._seconds):
            try:
                self._work()
                self._told = None
            except Exception as error:  # the next call may succeed, whatever failed
                words = f"{type(error).__name__}: {error}"
                if words != self._told:
                    self._log.warning("%s: %s", self._name, words)
                self._told = words
