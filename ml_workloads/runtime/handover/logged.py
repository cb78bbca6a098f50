"""Document of the values that a project's code logged with MLflow: the training pod writes it, the conductor reads it.

The document comes from the project's code, so its sizes are limited and no name in it is used as a path.
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

MAX_RUNS: Final = 1000
MAX_NAMES: Final = 10_000
MAX_POINTS: Final = 1_000_000
_Name = Annotated[str, Field(min_length=1, max_length=250)]
_Text = Annotated[str, Field(max_length=8000)]


class _Document(BaseModel):
    # A metric may be NaN or infinite, which standard JSON cannot express.
    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="constants")


class Point(_Document):
    """One value of a metric. `timestamp` is in milliseconds since 1970."""

    value: float
    step: int = Field(ge=-(2**63), lt=2**63)
    timestamp: int = Field(ge=0, lt=2**63)


class LoggedRun(_Document):
    """A run of MLflow. `parent` is the index of its parent in the list, None for the first run.

    `artifacts` maps the name of the object that holds each file to the file's path.
    """

    parent: int | None = Field(default=None, ge=0)
    name: _Text = ""
    parameters: dict[_Name, _Text] = Field(default_factory=dict, max_length=MAX_NAMES)
    tags: dict[_Name, _Text] = Field(default_factory=dict, max_length=MAX_NAMES)
    metrics: dict[_Name, Annotated[list[Point], Field(max_length=MAX_POINTS)]] = Field(
        default_factory=dict, max_length=MAX_NAMES
    )
    artifacts: dict[Annotated[str, Field(pattern=r"^[0-9]+$")], Annotated[str, Field(max_length=1000)]] = Field(
        default_factory=dict, max_length=MAX_NAMES
    )


class Logged(_Document):
    """All runs that were logged.

    The run that the training was in comes first, and each parent comes before its children.
    """

    runs: list[LoggedRun] = Field(default_factory=list, max_length=MAX_RUNS)
