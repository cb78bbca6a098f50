"""Requests that an account of MLflow may not make, although its permission EDIT lets them through.

EDIT lets a project's account record runs, register versions and move aliases. It also lets it rename its registered
model and its experiment, and change every tag. Commands and servers find a project by these names, the accounts are
kept by the tag `account`, a rollback reads the tags `move.*`, and who wrote an alias or a verdict is recorded in tags
that the server writes itself: so these stay with the administrator.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from mlflow_server.routes import is_reader, offered, project_of
from mlflow_server.sources import Made, Places, strange_source, strange_version
from mlflow_server.written_by import GATE_TAG, is_written_by_server

ACCOUNT_TAG: Final = "account"
"""Marks the registered model of an account that this program keeps; its value is the account's name."""

MOVE_TAG: Final = "move."
"""Begins the keys of the tags that record each move of an alias. Its `account` is who signed in at MLflow."""

PROMPT_TAG: Final = "mlflow.prompt.is_prompt"
"""Makes a prompt of a registered model, which then has other permissions and is in no list of models."""

_CREATE, _SET_TAG, _DELETE_TAG = "registered-models/create", "registered-models/set-tag", "registered-models/delete-tag"
_CREATE_VERSION = "model-versions/create"
_SET_VERSION_TAG, _DELETE_VERSION_TAG = "model-versions/set-tag", "model-versions/delete-tag"
_ALIAS, _PASSWORD = "registered-models/alias", "users/update-password"
DOWNLOADS: Final = frozenset({"model-versions/get-download-uri", "model-versions/get-artifact"})
"""Routes that send somebody to a version's files, or read them."""

JUDGED: Final = frozenset(
    {
        *(("POST", route) for route in (_CREATE, _SET_TAG, _CREATE_VERSION, _SET_VERSION_TAG, _ALIAS)),
        *(("DELETE", route) for route in (_DELETE_TAG, _DELETE_VERSION_TAG)),
        *(("GET", route) for route in DOWNLOADS),
        ("PATCH", _PASSWORD),
    }
)
"""Requests that are judged by what they say; of the others method, address and account say enough."""

_BY_NAME: Final = "commands and servers find a project's model by its name"
_EVIDENCE: Final = "promotions and people read what was recorded there"
_ADMINISTRATORS: Final[Mapping[tuple[str, str], str]] = {
    ("POST", "registered-models/rename"): f"rename a registered model, because {_BY_NAME}",
    ("DELETE", "registered-models/delete"): f"delete a registered model, because {_BY_NAME}",
    ("DELETE", "registered-models/alias"): (
        "take an alias away, because servers follow it; move it with `mlp promote` or `mlp rollback`"
    ),
    ("DELETE", "model-versions/delete"): (
        "delete a version of a model, because servers may run it and a rollback may go back to it"
    ),
    ("POST", "model-versions/transition-stage"): (
        "give a version a stage, which nothing here follows; move an alias with `mlp promote`"
    ),
    ("POST", "experiments/create"): (
        "make an experiment, because the platform makes each project's own when it is deployed; write into the one "
        "that has your project's name"
    ),
    ("POST", "experiments/update"): "rename an experiment, because trainings find it by its name",
    ("POST", "experiments/delete"): "delete an experiment, because trainings record their runs in it",
    ("POST", "experiments/restore"): "restore an experiment",
    ("POST", "runs/delete"): f"delete a run, because {_EVIDENCE}",
    ("POST", "runs/restore"): "restore a run",
    (
        "DELETE",
        "logged-models/<model_id>",
    ): "delete a logged model, because versions of the registered model are made of it",
    ("DELETE", "mlflow-artifacts/artifacts/<artifact_path>"): f"delete files, because {_EVIDENCE}",
}

MAX_ALIAS: Final = 100
"""Characters of an alias, so that the key of the tag that records its writer is one that MLflow keeps."""

UNKNOWN: Final = "?"
"""Begins the route of a request that no rule of MLflow's fits; its address follows."""

Tags = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request of an account.

    `route` is as `routes.route_of` has it, or begins with UNKNOWN. The others are in requests of JUDGED: the
    registered model, its version, an alias, the tags to write or, without values, to delete, and what a new version is
    to be made of.
    """

    method: str
    route: str
    user: str
    model: str = ""
    version: str = ""
    alias: str = ""
    tags: Tags = field(default_factory=dict[str, str])
    made: Made | None = None


class Known(Places, Protocol):
    """What MLflow has recorded."""

    def tags_of(self, model: str) -> Tags | None:
        """The tags of a registered model, None where there is no such model."""
        ...


def refusal(asked: Asked, known: Known) -> str | None:
    """Return why a request is refused, in a sentence that says what to do or who may make it; None where it is not."""
    deed = _ADMINISTRATORS.get((asked.method, asked.route))
    if is_reader(asked.user) and not offered(asked.method, asked.route, asked.user):
        return (
            f"{asked.user} is the account of the servers of {project_of(asked.user)}, which read its model and change "
            f"nothing; sign in as {project_of(asked.user)}"
        )
    if deed is None and not offered(asked.method, asked.route, asked.user):
        deed = f"use {asked.method} {asked.route.removeprefix(UNKNOWN) or '/'}, because this platform does not use it"
    deed = deed or _deed(asked, known)
    if deed is not None:
        return f"only MLflow's administrator, which the platform's team is, may {deed}"
    return _strange(asked, known)


def false_author(asked: Asked) -> str | None:
    """Return why a record of a move does not say who writes it, or None. Holds for the administrator as well."""
    if asked.route != _SET_TAG:
        return None
    for key, value in asked.tags.items():
        if key.startswith(MOVE_TAG) and _author(value) != asked.user:
            return (
                f"the tag {key} must say who writes it, so its `account` must be {asked.user!r}, the account that is "
                f"signed in, and is {_author(value)!r}; write it with `mlp promote` or `mlp rollback`, of the "
                "repository's newest revision"
            )
    return None


def _author(value: str) -> object:
    try:
        document: object = json.loads(value)
    except ValueError:
        return None
    return document.get("account") if isinstance(document, dict) else None


def _deed(asked: Asked, known: Known) -> str | None:
    """What only the administrator may do of what the request says."""
    if asked.route == _PASSWORD and (known.tags_of(asked.user) or {}).get(ACCOUNT_TAG) == asked.user:
        return "change the password of a project's account, because the project's pods and commands sign in with it"
    if asked.route == _CREATE:
        return _made(asked, known)
    if asked.route == _DELETE_TAG:
        return _first(_of_tag("delete", key) for key in sorted(asked.tags) if _is_kept(key) or key == PROMPT_TAG)
    if asked.route == _SET_TAG:
        return _first(_overwritten(asked.model, key, asked.tags[key], known) for key in asked.tags)
    if asked.route == _CREATE_VERSION:
        return _first(_of_version_tag("give a new version", key) for key in sorted(asked.tags))
    if asked.route == _SET_VERSION_TAG:
        return _first(_of_version_tag("set", key) for key in asked.tags if key != GATE_TAG)
    if asked.route == _DELETE_VERSION_TAG:
        return _first(_of_version_tag("delete", key) for key in asked.tags)
    return None


def _strange(asked: Asked, known: Known) -> str | None:
    """What nobody may ask, because of a version's files or because it could not be recorded."""
    if len(asked.alias) > MAX_ALIAS:
        return f"the alias {asked.alias[:20]}... has {len(asked.alias)} characters; write {MAX_ALIAS} at the most"
    if asked.made is not None:
        return strange_source(asked.model, asked.made, known)
    if asked.route in DOWNLOADS or (asked.method, asked.route) == ("POST", _ALIAS):
        return strange_version(asked.model, asked.version, known)
    return None


def _made(asked: Asked, known: Known) -> str | None:
    """MLflow's client makes a registered model before each version, and goes on where it hears that there is one."""
    kept = _first(_of_tag("set", key) for key in sorted(asked.tags) if _is_kept(key) or key == PROMPT_TAG)
    if kept or (asked.model == project_of(asked.user) and known.tags_of(asked.model) is not None):
        return kept
    return (
        "make a registered model, because the platform makes each project's own when it is deployed; register versions "
        "of the one that has your project's name"
    )


def _overwritten(model: str, key: str, value: str, known: Known) -> str | None:
    """A move that is recorded stays as it is. The same once more is a client that heard no answer the first time."""
    if key in (ACCOUNT_TAG, PROMPT_TAG):
        return _of_tag("set", key)
    if key.startswith(MOVE_TAG) and (known.tags_of(model) or {}).get(key, value) != value:
        return _of_tag("overwrite", key)
    return None


def _first(found: Iterable[str | None]) -> str | None:
    return next(filter(None, found), None)


def _is_kept(key: str) -> bool:
    return key == ACCOUNT_TAG or key.startswith(MOVE_TAG)


def _of_tag(verb: str, key: str) -> str:
    if key == ACCOUNT_TAG:
        return f"{verb} the tag {key} of a registered model, because it says whose account is kept"
    if key == PROMPT_TAG:
        return f"{verb} the tag {key} of a registered model, because it is no model any more then, or no prompt"
    return f"{verb} the tag {key} of a registered model, because `mlp rollback` reads the record of moves"


def _of_version_tag(verb: str, key: str) -> str | None:
    if is_written_by_server(key):
        return f"{verb} the tag {key} of a version, because the server records in it who wrote what"
    if key == GATE_TAG:
        return f"{verb} the tag {key} of a version, because it is the gate's verdict on a version that is there"
    if key == PROMPT_TAG:
        return f"{verb} the tag {key} of a version, because it is no model any more then, or no prompt"
    return None
