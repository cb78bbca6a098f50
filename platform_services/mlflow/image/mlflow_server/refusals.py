"""Requests that an account of MLflow may not make, although its permission EDIT lets them through.

EDIT lets a project's account record runs, register versions and move aliases. It also lets it rename its registered
model and its experiment, and change every tag. Commands and servers find a project by these names, the accounts are
kept by the tag `account`, and a rollback reads the tags `move.*`: so these stay with the administrator. MLflow's own
refusals of deletions say no more than 'Permission denied'; those that people meet are told here as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

ACCOUNT_TAG: Final = "account"
"""Marks the registered model of an account that this program keeps; its value is the account's name."""

MOVE_TAG: Final = "move."
"""Begins the keys of the tags that record each move of an alias."""

PROMPT_TAG: Final = "mlflow.prompt.is_prompt"
"""Makes a prompt of a registered model, which then has other permissions and is in no list of models."""

_ROUTE: Final = re.compile(r"/mlflow/(?P<route>[a-z-]+/[a-z-]+)")
_CREATE, _SET_TAG, _DELETE_TAG = "registered-models/create", "registered-models/set-tag", "registered-models/delete-tag"
_PASSWORD: Final = "users/update-password"  # noqa: S105 - a path
READ_TAGS: Final = frozenset({_CREATE, _SET_TAG, _DELETE_TAG})
"""Routes whose body decides; of the others the address says enough."""

_BY_NAME: Final = "commands and servers find a project's model by its name"
_ADMINISTRATORS: Final[Mapping[tuple[str, str], str]] = {
    ("POST", "registered-models/rename"): f"rename a registered model, because {_BY_NAME}",
    ("DELETE", "registered-models/delete"): f"delete a registered model, because {_BY_NAME}",
    ("DELETE", "registered-models/alias"): (
        "take an alias away, because servers follow it; move it with `mlp promote` or `mlp rollback`"
    ),
    ("DELETE", "model-versions/delete"): (
        "delete a version of a model, because servers may run it and a rollback may go back to it"
    ),
    ("POST", "experiments/update"): "rename an experiment, because trainings find it by its name",
    ("POST", "experiments/delete"): "delete an experiment, because trainings record their runs in it",
    ("POST", "experiments/restore"): "restore an experiment",
}

Tags = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request of an account that is not the administrator's.

    `route` is what follows `/mlflow/` in the address. `model` and `tags` are in the body of a request that is in
    READ_TAGS: the registered model's name, and the tags to write or, without values, to delete.
    """

    method: str
    route: str
    user: str
    model: str = ""
    tags: Tags = field(default_factory=dict[str, str])


def route_of(rule: str) -> str:
    """Return the part of a URL rule of MLflow that is the same in all versions of its API, or nothing.

    Args:
        rule: such as `/ajax-api/2.0/mlflow/registered-models/rename`.
    """
    found = _ROUTE.search(rule)
    return found["route"] if found and found.end() == len(rule) else ""


def concerns(method: str, route: str) -> bool:
    """Return whether `refusal` may refuse such a request of some account."""
    return (method, route) in _ADMINISTRATORS or route in READ_TAGS or route == _PASSWORD


def refusal(asked: Asked, tags_of: Callable[[str], Tags]) -> str | None:
    """Return why a request is refused, in one sentence that says who may make it; None where it is not.

    Args:
        asked: the request.
        tags_of: gives the tags of a registered model, none where there is no such model.
    """
    deed = _ADMINISTRATORS.get((asked.method, asked.route)) or _deed(asked, tags_of)
    return None if deed is None else f"only MLflow's administrator, which the platform's team is, may {deed}"


def _deed(asked: Asked, tags_of: Callable[[str], Tags]) -> str | None:
    if asked.route == _PASSWORD and tags_of(asked.user).get(ACCOUNT_TAG) == asked.user:
        return "change the password of a project's account, because the project's pods and commands sign in with it"
    if asked.route == _CREATE:
        return next((_of_tag("set", key) for key in sorted(asked.tags) if _is_kept(key)), None)
    if asked.route == _DELETE_TAG:
        return next((_of_tag("delete", key) for key in sorted(asked.tags) if _is_kept(key) or key == PROMPT_TAG), None)
    if asked.route == _SET_TAG:
        return next(
            filter(None, (_overwritten(asked.model, key, tags_of, asked.tags[key]) for key in asked.tags)), None
        )
    return None


def _overwritten(model: str, key: str, tags_of: Callable[[str], Tags], value: str) -> str | None:
    """A move that is recorded stays as it is. The same once more is a client that heard no answer the first time."""
    if key in (ACCOUNT_TAG, PROMPT_TAG):
        return _of_tag("set", key)
    if key.startswith(MOVE_TAG) and tags_of(model).get(key, value) != value:
        return _of_tag("overwrite", key)
    return None


def _is_kept(key: str) -> bool:
    return key == ACCOUNT_TAG or key.startswith(MOVE_TAG)


def _of_tag(verb: str, key: str) -> str:
    if key == ACCOUNT_TAG:
        return f"{verb} the tag {key} of a registered model, because it says whose account is kept"
    if key == PROMPT_TAG:
        return f"{verb} the tag {key} of a registered model, because it is no model any more then, or no prompt"
    return f"{verb} the tag {key} of a registered model, because `mlp rollback` reads the record of moves"
