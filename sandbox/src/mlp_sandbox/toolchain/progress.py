"""Regular progress lines while a program with little output is at work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

REPORT_SECONDS = 15.0


@contextmanager
def ticking(report: Callable[[str], None], words: Callable[[], str]) -> Generator[None]:
    """Report `words()` and the elapsed time every REPORT_SECONDS; each line asks for the words anew."""
    started, ended = time.monotonic(), threading.Event()

    def tick() -> None:
        while not ended.wait(REPORT_SECONDS):
            report(f"  {words()} after {time.monotonic() - started:.0f} s")

    ticker = threading.Thread(target=tick, daemon=True)
    ticker.start()
    try:
        yield
    finally:
        ended.set()
        ticker.join()
