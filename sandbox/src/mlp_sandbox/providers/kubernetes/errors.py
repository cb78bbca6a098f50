"""Errors of the API server, and their explanation for the user.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

# Texts of the API server's error when etcd, a webhook or the connection to them fails; the last two come from gRPC.
_PASSING = (
    *("etcdserver", "leader changed", "timed out", "timeout", "connection refused", "failed calling webhook", "EOF"),
    *("code = Unavailable", "connection reset"),
)
_UNTYPED = "failed to create typed patch object"


class UnreachableError(Exception):
    """The API server does not answer."""


class CredentialsError(Exception):
    """The kubeconfig's user cannot be used."""


class UnknownKindError(Exception):
    """The API server has no such kind (yet)."""


@dataclass
class ApiError(Exception):
    """Error of the API server: HTTP status, and the `Status` object's reason, message and causes.

    A cause is (field, reason, message).
    """

    status: int
    reason: str
    message: str
    about: str = ""
    causes: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])

    def __str__(self) -> str:
        return self.message


def api_error(status: int, body: bytes) -> ApiError:
    text = body.decode(errors="replace")
    try:
        answer: Any = json.loads(text)
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or answer.get("kind") != "Status":
        return ApiError(status, "", text.strip()[:2000] or f"HTTP status {status}")
    details = answer.get("details") or {}
    causes = [
        (str(each.get("field") or ""), str(each.get("reason") or ""), str(each.get("message") or ""))
        for each in details.get("causes") or []
    ]
    message = str(answer.get("message") or f"HTTP status {status}")
    return ApiError(status, str(answer.get("reason") or ""), message, str(details.get("kind") or ""), causes)


def is_passing(error: ApiError) -> bool:
    """Return whether the same request may succeed later: too much load, a server that restarts, a leader change."""
    if error.status in (429, 502, 503, 504):
        return True
    if error.status != 500 or _UNTYPED in error.message:
        return False
    return any(word in error.message for word in _PASSING)


def is_missing_namespace(error: ApiError) -> bool:
    return error.status == 404 and error.about == "namespaces"


def is_conflict_of_managers(error: ApiError) -> bool:
    return error.status == 409 and any(reason == "FieldManagerConflict" for _, reason, _ in error.causes)


def is_access_refusal(error: ApiError) -> bool:
    """Return whether the user may not do this at all, in contrast to: not with this object."""
    return error.status == 403 and "cannot " in error.message and "User " in error.message


def explain(error: Exception, server: str) -> str:
    """Explain to the user the problem and the fix. The text never contains a credential."""
    match error:
        case ApiError(status=401):
            return (
                f"{server} does not accept the credentials of the kubeconfig (401): the token has expired, or the "
                "principal has no access entry. `aws sts get-caller-identity` says who is asking"
            )
        case ApiError(status=403) if is_access_refusal(error):
            return f"not allowed (403): {error.message}. An access policy or an RBAC role has to allow it"
        case ApiError(status=409) if is_conflict_of_managers(error):
            held = "\n".join(f"  {place or 'object'}: {message}" for place, _, message in error.causes)
            return (
                f"fields belong to another manager of the object:\n{held}\nTake them out of the program (or list them "
                'in ignore_changes), or take them over with the annotation pulumi.com/patchForce: "true"'
            )
        case ApiError(status=422, causes=[_, *_]):
            found = "\n".join(f"  {place or 'object'}: {message}" for place, _, message in error.causes)
            return f"the API server finds it invalid:\n{found}"
        case ApiError(status=400) if "strict decoding error" in error.message:
            return "the API server does not know these fields: " + error.message.split("strict decoding error: ")[-1]
        case ApiError() if _UNTYPED in error.message:
            # Server-side apply reads the object by its schema first: a misspelt field or a wrong type fails there.
            return "the API server cannot read the object: " + error.message.split("): ", 1)[-1]
        case ApiError():
            return f"{error.message} ({error.status}{f' {error.reason}' if error.reason else ''})"
        case _:
            return str(error)
