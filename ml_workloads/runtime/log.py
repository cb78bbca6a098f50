"""The log of the processes that run in pods."""

from __future__ import annotations

import logging


def begin() -> None:
    """Write what is worth telling to the error output, with time, level and name."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # It tells of every client where its settings come from.
    logging.getLogger("botocore").setLevel(logging.WARNING)
