"""Names that a team chooses, in forms that every system which uses them accepts."""

import re
from typing import Annotated

from pydantic import AfterValidator, Strict, WithJsonSchema

from ml_workloads.project.reserved import project_name, team_name
from validation.base import Allowed, unique

# A namespace is `<team>-<project>`, which Kubernetes limits to 63 characters. Its objects append suffixes.
MAX_PROJECT, MAX_TEAM = 30, 20
_WORDS = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
IDENTIFIER = r"[A-Za-z_][A-Za-z0-9_]*"
_OBJECT = re.compile(rf"{IDENTIFIER}(\.{IDENTIFIER})*:{IDENTIFIER}")


def _words(limit: int, text: str) -> str:
    if not _WORDS.fullmatch(text) or len(text) > limit:
        raise ValueError(f"write up to {limit} lower-case letters and digits, in words joined by -")
    return text


def _project(text: str) -> str:
    return _words(MAX_PROJECT, text)


def _secret(text: str) -> str:
    """Reject names that end like the suffix of a secret's ARN.

    See `Name` in https://docs.aws.amazon.com/secretsmanager/latest/APIReference/API_CreateSecret.html
    """
    if re.search(r"-[a-z0-9]{6}$", text):
        raise ValueError("do not end in a dash and six characters, Secrets Manager mistakes that for part of an ARN")
    return text


def _team(text: str) -> str:
    return _words(MAX_TEAM, text)


def _email(text: str) -> str:
    if not re.fullmatch(r"[^@\s]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", text):
        raise ValueError("write an e-mail address such as team@example.com")
    return text


def _object(text: str) -> str:
    if not _OBJECT.fullmatch(text):
        raise ValueError("write module:name of a Python object, such as wine.training:train")
    return text


ProjectName = Annotated[
    str,
    AfterValidator(_project),
    AfterValidator(project_name),
    Allowed(f"up to {MAX_PROJECT} lower-case letters, digits, -"),
    WithJsonSchema({"type": "string", "pattern": f"^{_WORDS.pattern}$", "maxLength": MAX_PROJECT}),
]
TeamName = Annotated[
    str,
    AfterValidator(_team),
    AfterValidator(team_name),
    Allowed(f"up to {MAX_TEAM} lower-case letters, digits, -"),
    WithJsonSchema({"type": "string", "pattern": f"^{_WORDS.pattern}$", "maxLength": MAX_TEAM}),
]
Email = Annotated[
    str, AfterValidator(_email), Allowed("e-mail address"), WithJsonSchema({"type": "string", "format": "email"})
]
PythonObject = Annotated[
    str,
    AfterValidator(_object),
    Allowed("`module:name`"),
    WithJsonSchema({"type": "string", "pattern": f"^{_OBJECT.pattern}$"}),
]
SecretName = Annotated[
    str,
    AfterValidator(_project),
    AfterValidator(_secret),
    Allowed(f"up to {MAX_PROJECT} lower-case letters, digits, -"),
    WithJsonSchema({"type": "string", "pattern": f"^{_WORDS.pattern}$", "maxLength": MAX_PROJECT}),
]
SecretNames = Annotated[tuple[SecretName, ...], Strict(False), AfterValidator(unique)]
