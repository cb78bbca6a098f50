"""The service that pulls for nodes: one pull for all callers, and the reason for callers whose pull fails."""

import logging
import threading

import pytest

from mlp_sandbox.clusters.images.pulls import ImagePulls
from mlp_sandbox.errors import SandboxError

LOG = logging.getLogger("test")


def test_all_that_ask_for_an_image_meanwhile_wait_for_one_pull() -> None:
    asked: list[str] = []
    going, enough = threading.Event(), threading.Event()

    def pull(image: str) -> None:
        asked.append(image)
        going.set()
        assert enough.wait(20)

    pulls = ImagePulls(LOG, pull)
    answers: list[str | None] = []
    threads = [threading.Thread(target=lambda: answers.append(pulls.problem("ghcr.io/a:1"))) for _ in range(5)]
    threads[0].start()
    assert going.wait(20)
    for thread in threads[1:]:
        thread.start()
    assert answers == []
    enough.set()
    for thread in threads:
        thread.join(20)
    assert answers == [None] * 5
    assert set(asked) == {"ghcr.io/a:1"}


def test_an_image_that_is_asked_for_later_is_looked_for_anew() -> None:
    said: list[Exception | None] = [SandboxError("ghcr.io does not give it"), OSError("disk full"), None]

    def pull(_image: str) -> None:
        if error := said.pop(0):
            raise error

    pulls = ImagePulls(LOG, pull)
    assert pulls.problem("ghcr.io/a:1") == "ghcr.io does not give it"
    assert pulls.problem("ghcr.io/a:1") == "disk full"
    assert pulls.problem("ghcr.io/a:1") is None


def test_an_unforeseen_error_is_told_too(caplog: pytest.LogCaptureFixture) -> None:
    def pull(_image: str) -> None:
        raise ZeroDivisionError("by zero")

    assert ImagePulls(LOG, pull).problem("ghcr.io/a:1") == "ZeroDivisionError: by zero"
    assert "unforeseen" in caplog.text
