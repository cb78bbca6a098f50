"""Decides which types a project may let its saved models hold, beside those that every project's model may hold.

skops creates an object of each trusted type that a model file names. A type that can open files, start processes or
read pickles would turn the model file into a program. The schema of `project.yaml` and the image check a list by this
same rule, so that every list that the schema accepts also loads.
https://skops.readthedocs.io/en/stable/persistence.html
"""

from __future__ import annotations

import re
import sys
from typing import Final

VALUE_MODULES: Final = frozenset({"collections", "datetime", "decimal", "fractions", "uuid"})
"""Modules of Python's library whose types only hold values."""

CODE_PACKAGES: Final = frozenset(
    {"__main__", "_distutils_hack", "_pickle", "boto3", "botocore", "cloudpickle", "dill", "joblib", "mlflow", "nt"}
    | {"numpy", "pandas", "pip", "pkg_resources", "posix", "requests", "scipy", "setuptools", "skops", "sqlalchemy"}
    | {"urllib3", "yaml"}
)
"""Packages with types or functions that run code, read files or use the network.

Types of NumPy, pandas and SciPy that only hold values are on the platform's own list, name by name.
"""

_ACTS = re.compile(r"(read|load|open|eval|exec|import|compile|system|memmap|fromfile)(_.*)?", re.IGNORECASE)


def why_not(name: str) -> str | None:
    """Return why a project may not trust a type, with the fix, or None if it may.

    Args:
        name: the full name of the type, such as `churn.features.Ratio`.
    """
    package, last = name.split(".")[0], name.rsplit(".", 1)[-1]
    if package in sys.stdlib_module_names - VALUE_MODULES or package in CODE_PACKAGES:
        return (
            f"remove it, a model file that may use {package} could run any code where it is loaded; "
            "write a class of the project's own module instead"
        )
    if _ACTS.fullmatch(last):
        return (
            f"rename it if it is the project's own, because functions that are called {last} read files or run code; "
            "else remove it, and name a class that only holds the model's state"
        )
    return None
