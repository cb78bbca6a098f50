"""Keys of the objects that pods of a training run exchange, all below `runs/<project>/`.

The kind comes before the run, so that a role's policy can name a kind: the training pod reads `training/`, writes
`models/` and keeps `checkpoints/`. Only the conductor reads `conductor/`.
"""

from __future__ import annotations

from typing import Final

RUNS: Final = "runs/"
"""Prefix of temporary objects, which are not needed after their run has ended."""


def training_parts(project: str) -> str:
    """Return the prefix of the rows that the project's code is trained on."""
    return f"{RUNS}{project}/training/"


def models(project: str) -> str:
    """Return the prefix of the training's results: model, parameters, metrics and artifacts."""
    return f"{RUNS}{project}/models/"


def checkpoints(project: str) -> str:
    """Return the prefix of checkpoints, which an attempt of a training keeps for the next one."""
    return f"{RUNS}{project}/checkpoints/"


def conductors(project: str) -> str:
    """Return the prefix of objects that only the conductor may read."""
    return f"conductor/{project}/"


def training_part(project: str, job: str) -> str:
    """Return the key of the rows of one training, as an Arrow file."""
    return f"{training_parts(project)}{job}.arrow"


def model(project: str, job: str) -> str:
    """Return the key of the trained model, as a skops file."""
    return f"{models(project)}{job}/model.skops"


def logged(project: str, job: str) -> str:
    """Return the key of the JSON document with the values that the project's code logged."""
    return f"{models(project)}{job}/logged.json"


def artifacts(project: str, job: str) -> str:
    """Return the prefix of the files that the project's code logged."""
    return f"{models(project)}{job}/artifacts/"


def split_key(project: str) -> str:
    """Return the key of the secret number that decides which rows are held out."""
    return f"{conductors(project)}split-key"
