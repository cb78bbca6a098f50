"""Requests that an account of MLflow may not make, although its permission EDIT allows them.

EDIT lets a project's account record runs, register versions and move aliases. It also lets the account rename its
registered model and its experiment, and change every tag. Commands and servers find a project by these names, the tag
`account` marks the managed accounts, a rollback reads the tags `move.*`, and the author of an alias or a verdict is
recorded in tags that the server writes itself. So these operations are reserved for the administrator.
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
"""Tag of the registered model of an account that this program manages. Its value is the account's name."""

MOVE_TAG: Final = "move."
"""Prefix of the keys of tags that record each move of an alias. Their field `account` is the account signed in at
MLflow."""

PROMPT_TAG: Final = "mlflow.prompt.is_prompt"
"""Tag that turns a registered model into a prompt, which has other permissions and is in no list of models."""

_CREATE, _SET_TAG, _DELETE_TAG = "registered-models/create", "registered-models/set-tag", "registered-models/delete-tag"
_CREATE_VERSION = "model-versions/create"
_SET_VERSION_TAG, _DELETE_VERSION_TAG = "model-versions/set-tag", "model-versions/delete-tag"
_ALIAS, _PASSWORD = "registered-models/alias", "users/update-password"
DOWNLOADS: Final = frozenset({"model-versions/get-download-uri", "model-versions/get-artifact"})
"""Routes that return the location of a version's files, or read them."""

JUDGED: Final = frozenset(
    {
        *(("POST", route) for route in (_CREATE, _SET_TAG, _CREATE_VERSION, _SET_VERSION_TAG, _ALIAS)),
        *(("DELETE", route) for route in (_DELETE_TAG, _DELETE_VERSION_TAG)),
        *(("GET", route) for route in DOWNLOADS),
        ("PATCH", _PASSWORD),
    }
)
"""Requests that are checked by their content. For all other requests method, route and account are sufficient."""

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
"""Maximum length of an alias. The key of the tag that records its writer must not exceed MLflow's limit."""

UNKNOWN: Final = "?"
"""Prefix of the route of a request that matches no rule of MLflow. The request's path follows it."""

Tags = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request of an account.

    `route` is the result of `routes.route_of`, or begins with UNKNOWN. The other fields are set in requests of JUDGED:
    the registered model, its version, an alias, the tags to write or (without values) to delete, and the source of a
    new version.
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
    """MLflow's records."""

    def tags_of(self, model: str) -> Tags | None:
        """Return the tags of a registered model, or None if there is no such model."""
        ...


def refusal(asked: Asked, known: Known) -> str | None:
    """Return why a request is denied, in a sentence with the fix or with who may make it, or None if it is allowed."""
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
    """Return why a record of a move does not name its author, or None. This applies to the administrator as well."""
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
        document: dict[str, object] | list[object] | str | float | None = json.loads(value)
    except ValueError:
        return None
    return document.get("account") if isinstance(document, dict) else None


def _deed(asked: Asked, known: Known) -> str | None:
    """Return the operation in the request that only the administrator may do, or None."""
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
    """Return why nobody may make the request, because of a version's files or because it could not be recorded."""
    if len(asked.alias) > MAX_ALIAS:
        return f"the alias {asked.alias[:20]}... has {len(asked.alias)} characters; write {MAX_ALIAS} at the most"
    if asked.made is not None:
        return strange_source(asked.model, asked.made, known)
    if asked.route in DOWNLOADS or (asked.method, asked.route) == ("POST", _ALIAS):
        return strange_version(asked.model, asked.version, known)
    return None


def _made(asked: Asked, known: Known) -> str | None:
    """Return the operation that the account may not do when it creates a registered model, or None.

    MLflow's client creates a registered model before each version, and continues if it already exists.
    """
    kept = _first(_of_tag("set", key) for key in sorted(asked.tags) if _is_kept(key) or key == PROMPT_TAG)
    if kept or (asked.model == project_of(asked.user) and known.tags_of(asked.model) is not None):
        return kept
    return (
        "make a registered model, because the platform makes each project's own when it is deployed; register versions "
        "of the one that has your project's name"
    )


def _overwritten(model: str, key: str, value: str, known: Known) -> str | None:
    """Return the operation if a tag may not be written, or None.

    A recorded move is immutable. Writing the same value again is allowed: the client may not have received the first
    answer.
    """
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
