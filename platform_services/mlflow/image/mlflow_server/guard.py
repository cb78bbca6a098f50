"""MLflow's authentication, with the restrictions of this platform. MLflow calls `authenticate` for each request.

MLflow's setting `authorization_function` names it. If it returns a response instead of an account, the request ends.
Routes that MLflow's ASGI application serves itself have no Flask rule here; the only one of them that accounts use is
the proxy of files, which has a Flask rule as well.
https://mlflow.org/docs/latest/self-hosting/security/custom/
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import flask
from flask import Response
from mlflow.entities.model_registry import ModelVersionTag
from mlflow.server import auth
from werkzeug.datastructures import Authorization

from mlflow_server.bodies import read
from mlflow_server.known import KnownToMlflow
from mlflow_server.refusals import JUDGED, UNKNOWN, Asked, false_author, refusal
from mlflow_server.routes import offered, route_of
from mlflow_server.written_by import GATE_TAG, Tag, of_alias, of_gate

LOG = logging.getLogger(__name__)
DONE, FORBIDDEN, FAILED = 200, 403, 500
accounts: Any = auth


def authenticate() -> Authorization | Response:
    """Return the signed-in account, or the response that ends the request: 401, or 403 with the reason.

    MLflow calls this several times within a request, and fails with 500 if a later call returns no account, because the
    password was changed in between. So the result of the first call is reused for the whole request.
    """
    if "signed_in" not in flask.g:
        flask.g.signed_in = _authenticate()
    return flask.g.signed_in


def _authenticate() -> Authorization | Response:
    signed_in = accounts.authenticate_request_basic_auth()
    if not isinstance(signed_in, Authorization):
        return signed_in
    reason = _reason(str(signed_in.username))
    return signed_in if reason is None else _error(FORBIDDEN, "PERMISSION_DENIED", reason)


def _reason(user: str) -> str | None:
    rule = flask.request.url_rule
    route = route_of(rule.rule) if rule else f"{UNKNOWN}{flask.request.path}"
    asked = Asked(method=flask.request.method, route=route, user=user)
    if (asked.method, asked.route) in JUDGED:
        asked = read(asked)
    elif offered(asked.method, asked.route, user):
        return None
    known = KnownToMlflow()
    reason = false_author(asked)
    if reason is None and not accounts.store.get_user(user).is_admin:
        reason = refusal(asked, known)
    if reason is None:
        _record_when_done(asked, known)
    return reason


def _record_when_done(asked: Asked, known: KnownToMlflow) -> None:
    """Record the author of an alias or a verdict after MLflow has completed the request."""
    tag: Callable[[datetime], Tag]
    if (asked.method, asked.route) == ("POST", "registered-models/alias"):
        before = known.version_named(asked.model, asked.alias)
        tag = partial(of_alias, asked.alias, asked.user, before)
    elif (asked.method, asked.route) == ("POST", "model-versions/set-tag") and GATE_TAG in asked.tags:
        tag = partial(of_gate, asked.user)
    else:
        return

    def record(response: Response) -> Response:
        if response.status_code != DONE:
            return response
        key, value = tag(datetime.now(UTC))
        try:
            known.registry.set_model_version_tag(asked.model, asked.version, ModelVersionTag(key, value))
        except Exception:
            LOG.exception("version %s of %s: %s = %s is not recorded", asked.version, asked.model, key, value)
            return _error(FAILED, "INTERNAL_ERROR", f"it is done, and the tag {key} is not recorded; do it once more")
        LOG.info("version %s of %s: %s = %s", asked.version, asked.model, key, value)
        return response

    flask.after_this_request(record)


def _error(status: int, code: str, message: str) -> Response:
    """Return a response in the format of MLflow's own errors, so that its client shows the message."""
    response = flask.jsonify({"error_code": code, "message": message})
    response.status_code = status
    return response
