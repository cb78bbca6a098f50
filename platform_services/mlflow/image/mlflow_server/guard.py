"""MLflow's sign-in, with the refusals of this platform. MLflow calls `authenticate` for each request.

It is named in MLflow's own setting `authorization_function`. A response instead of a signed-in account ends a request.
https://mlflow.org/docs/latest/self-hosting/security/custom/
"""

from __future__ import annotations

from typing import Any, Final

import flask
from flask import Response
from mlflow.exceptions import MlflowException
from mlflow.protos.model_registry_pb2 import CreateRegisteredModel, DeleteRegisteredModelTag, SetRegisteredModelTag
from mlflow.server import auth, handlers
from werkzeug.datastructures import Authorization

from mlflow_server.refusals import READ_TAGS, Asked, Tags, concerns, refusal, route_of

FORBIDDEN: Final = 403
server: Any = handlers
accounts: Any = auth


def authenticate() -> Authorization | Response:
    """Return the signed-in account, or the response that ends the request: 401, or 403 with the reason.

    MLflow asks several times within a request, and ends it with 500 where the second answer is no account: when the
    password was changed between the two. So the first answer holds for the request.
    """
    if "signed_in" not in flask.g:
        flask.g.signed_in = _authenticate()
    return flask.g.signed_in


def _authenticate() -> Authorization | Response:
    signed_in = accounts.authenticate_request_basic_auth()
    if not isinstance(signed_in, Authorization):
        return signed_in
    reason = _reason(str(signed_in.username))
    return signed_in if reason is None else _forbidden(reason)


def _reason(user: str) -> str | None:
    rule = flask.request.url_rule
    route = route_of(rule.rule) if rule else ""
    method = flask.request.method
    if not concerns(method, route) or accounts.store.get_user(user).is_admin:
        return None
    model, tags = _body(route) if route in READ_TAGS else ("", {})
    return refusal(Asked(method=method, route=route, user=user, model=model, tags=tags), _tags_of)


def _body(route: str) -> tuple[str, Tags]:
    """Read the body exactly as the handler of the request reads it, so that both see the same names."""
    kinds = {
        "registered-models/create": CreateRegisteredModel,
        "registered-models/set-tag": SetRegisteredModelTag,
        "registered-models/delete-tag": DeleteRegisteredModelTag,
    }
    message: Any = server._get_request_message(kinds[route]())
    if route == "registered-models/create":
        return str(message.name), {str(tag.key): str(tag.value) for tag in message.tags}
    return str(message.name), {str(message.key): str(getattr(message, "value", ""))}


def _tags_of(model: str) -> Tags:
    try:
        found = server._get_model_registry_store().get_registered_model(model)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return {}
        raise
    return dict(found.tags)


def _forbidden(reason: str) -> Response:
    """As MLflow's own errors are, so that its client shows the reason."""
    response = flask.jsonify({"error_code": "PERMISSION_DENIED", "message": reason})
    response.status_code = FORBIDDEN
    return response
