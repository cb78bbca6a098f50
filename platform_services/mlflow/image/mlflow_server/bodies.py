"""Parses the content of a request exactly as MLflow's own handler does, so that both see the same names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import flask
from mlflow.protos.model_registry_pb2 import (
    CreateModelVersion,
    CreateRegisteredModel,
    DeleteModelVersionTag,
    DeleteRegisteredModelTag,
    GetModelVersionDownloadUri,
    SetModelVersionTag,
    SetRegisteredModelAlias,
    SetRegisteredModelTag,
)
from mlflow.server import handlers

from mlflow_server.refusals import Asked
from mlflow_server.sources import Made

server: Any = handlers
_MESSAGES: Final[Mapping[str, Callable[[], Any]]] = {
    "registered-models/create": CreateRegisteredModel,
    "registered-models/set-tag": SetRegisteredModelTag,
    "registered-models/delete-tag": DeleteRegisteredModelTag,
    "registered-models/alias": SetRegisteredModelAlias,
    "model-versions/create": CreateModelVersion,
    "model-versions/set-tag": SetModelVersionTag,
    "model-versions/delete-tag": DeleteModelVersionTag,
    "model-versions/get-download-uri": GetModelVersionDownloadUri,
}


def read(asked: Asked) -> Asked:
    """Return a request of `refusals.JUDGED` with the fields of its content.

    Raises:
        MlflowException: MLflow cannot parse the request either.
    """
    if asked.route == "model-versions/get-artifact":
        given = flask.request.args
        return replace(asked, model=given.get("name", ""), version=given.get("version", ""))
    make = _MESSAGES.get(asked.route)
    if make is None:
        return asked
    message = server._get_request_message(make())
    found = replace(asked, model=str(message.name), version=str(getattr(message, "version", "")))
    if asked.route == "registered-models/alias":
        return replace(found, alias=str(message.alias))
    if asked.route in ("registered-models/create", "model-versions/create"):
        found = replace(found, tags={str(tag.key): str(tag.value) for tag in message.tags})
    elif hasattr(message, "key"):
        found = replace(found, tags={str(message.key): str(getattr(message, "value", ""))})
    if asked.route == "model-versions/create":
        made = Made(source=str(message.source), run_id=str(message.run_id), model_id=str(message.model_id))
        return replace(found, made=made)
    return found
