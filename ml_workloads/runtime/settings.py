"""Settings of the processes that run in pods, which they read from their environment."""

from __future__ import annotations

import logging
from typing import TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings

Settings = TypeVar("Settings", bound=BaseSettings)


def read(kind: type[Settings], log: logging.Logger) -> Settings | None:
    """Return the settings, or None after logging each variable that is missing or wrong."""
    try:
        return kind()
    except ValidationError as error:
        prefix = kind.model_config.get("env_prefix", "")
        for each in error.errors():
            name = "_".join(str(step) for step in each["loc"]).upper()
            log.error("%s%s: %s", prefix, name, each["msg"])  # noqa: TRY400 - the trace would say nothing more
        return None
