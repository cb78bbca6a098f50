"""Logging of the processes that run in pods."""

from __future__ import annotations

import logging


def begin() -> None:
    """Configure logging to standard error, at level INFO, with time, level and name."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # At level INFO it logs the source of the credentials for every client.
    logging.getLogger("botocore").setLevel(logging.WARNING)
