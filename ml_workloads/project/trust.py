"""Types that a saved model of a project may contain, in addition to those that the platform always trusts."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Strict, WithJsonSchema

from ml_workloads.project.names import IDENTIFIER
from ml_workloads.runtime.trust import why_not
from validation.base import Allowed, unique

_TYPE = re.compile(rf"{IDENTIFIER}(\.{IDENTIFIER})+")
MAX_LENGTH: Final = 200


def trusted_type(text: str) -> str:
    """Validate and return the name of a type, such as `churn.features.Ratio`.

    Raises:
        ValueError: the text is no dotted name, or the type can do more than hold a model's state.
    """
    if not _TYPE.fullmatch(text) or len(text) > MAX_LENGTH:
        raise ValueError("write module.Class of a type that the model holds, such as churn.features.Ratio")
    problem = why_not(text)
    if problem:
        raise ValueError(problem)
    return text


TrustedType = Annotated[
    str,
    AfterValidator(trusted_type),
    Allowed("`module.Class`"),
    WithJsonSchema({"type": "string", "pattern": f"^{_TYPE.pattern}$", "maxLength": MAX_LENGTH}),
]
TrustedTypes = Annotated[tuple[TrustedType, ...], Strict(False), AfterValidator(unique)]
