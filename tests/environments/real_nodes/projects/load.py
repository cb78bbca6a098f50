"""A bounded load on a project's server: a few requests a second, with one connection each."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from mlp.console import PlainError
from mlp.projects.port_forward import PortForward
from tests.environments.real_nodes.projects.deployed import ask

PAUSE_SECONDS = 0.2


@dataclass
class Load:
    """Result of the load: `versions` in the order of their first answer, `failures` instead of predictions."""

    answered: int = 0
    versions: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def count(self, forward: PortForward, document: Any) -> None:
        try:
            answer = ask(forward, document)
        except PlainError as error:
            self.failures.append(str(error))
            return
        if answer.status != 200:
            self.failures.append(f"{answer.status}: {answer.body}")
            return
        self.answered += 1
        version = str(answer.body["model"]["version"])
        if version not in self.versions:
            self.versions.append(version)


@contextmanager
def load(forward: PortForward, document: Any) -> Generator[Load]:
    made, ended = Load(), threading.Event()

    def ask_on() -> None:
        while not ended.wait(PAUSE_SECONDS):
            made.count(forward, document)

    thread = threading.Thread(target=ask_on, name="load", daemon=True)
    thread.start()
    try:
        yield made
    finally:
        ended.set()
        thread.join(timeout=60)
