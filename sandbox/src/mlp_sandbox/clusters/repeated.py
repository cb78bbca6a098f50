"""Work that is done again and again beside the supervisor's own, so that a slow answer holds nothing else up."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable


class Repeated:
    """Calls `work` every so many seconds in a thread of its own; tells a failure once, until it is another one."""

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
        """Wait that long for work that is going on."""
        self._ending.set()
        self._thread.join(timeout=seconds)

    def _run(self) -> None:
        while not self._ending.wait(self._seconds):
            try:
                self._work()
                self._told = None
            except Exception as error:  # the next time may be better, whatever it was
                words = f"{type(error).__name__}: {error}"
                if words != self._told:
                    self._log.warning("%s: %s", self._name, words)
                self._told = words
