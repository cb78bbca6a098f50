"""Types that a saved model of a project may hold, beside those that the platform trusts for every project.

skops makes an object of each type that a model file names and somebody has trusted. A type that can open files, start
processes or read pickles would turn the model file into a program.
https://skops.readthedocs.io/en/stable/persistence.html
"""

import re
import sys
from typing import Annotated, Final

from pydantic import AfterValidator, Strict, WithJsonSchema

from ml_workloads.project.names import IDENTIFIER
from validation.base import Allowed, unique

_TYPE = re.compile(rf"{IDENTIFIER}(\.{IDENTIFIER})+")
MAX_LENGTH: Final = 200

DATA_MODULES: Final = frozenset({"collections", "datetime", "decimal", "fractions", "uuid"})
"""Modules of Python's library whose types only hold values."""

CODE_PACKAGES: Final = frozenset(
    {"_distutils_hack", "boto3", "botocore", "cloudpickle", "dill", "joblib", "mlflow", "pip", "pkg_resources"}
    | {"requests", "setuptools", "skops", "sqlalchemy", "urllib3", "yaml"}
)
"""Packages of the images whose objects run code, read pickles or use the network."""

_ACTS = re.compile(r"(read|load|open|eval|exec|import|compile|system|memmap|fromfile)(_.*)?", re.IGNORECASE)


def trusted_type(text: str) -> str:
    """Return the name of a type, such as `churn.features.Ratio`.

    Raises ValueError for a text that is no dotted name, and for a type that can do more than hold a model's state.
    """
    if not _TYPE.fullmatch(text) or len(text) > MAX_LENGTH:
        raise ValueError("write module.Class of a type that the model holds, such as churn.features.Ratio")
    package, name = text.split(".")[0], text.rsplit(".", 1)[1]
    if package in sys.stdlib_module_names - DATA_MODULES or package in CODE_PACKAGES:
        raise ValueError(
            f"remove it, a model file that may use {package} could run any code where it is loaded; "
            "write a class of the project's own module instead"
        )
    if _ACTS.fullmatch(name):
        raise ValueError(f"remove it, {name} reads files or runs code; name a class that only holds the model's state")
    return text


TrustedType = Annotated[
    str,
    AfterValidator(trusted_type),
    Allowed("`module.Class`"),
    WithJsonSchema({"type": "string", "pattern": f"^{_TYPE.pattern}$", "maxLength": MAX_LENGTH}),
]
TrustedTypes = Annotated[tuple[TrustedType, ...], Strict(False), AfterValidator(unique)]
