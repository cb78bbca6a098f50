"""Tags of runs and versions in MLflow: training writes them, promotions and people read them."""

from typing import Final

from mlflow.exceptions import MlflowException

JOB: Final = "job"
"""Tag of a run: the name of its Job, which is the same for all attempts."""

DATA_DIGEST: Final = "data_digest"
DATA_SOURCE: Final = "data_source"
CODE_REVISION: Final = "code_revision"

DATA_CONTRACT: Final = "data_contract"
CONTRACT_MET: Final = "passed"
"""Value of `DATA_CONTRACT` for a run whose data was checked and met its contract. Other runs do not have the tag."""

FAILURE: Final = "failure"
"""Tag of a failed run: the reason."""

GATE: Final = "gate"
GATE_PASSED: Final = "passed"
"""Value of `GATE` for a version that passed training's gate; otherwise the tag holds the reasons of the rejection."""

TARGET: Final = "target"
HOLDOUT: Final = "holdout"
OWN_PARAMETERS: Final = frozenset({TARGET, HOLDOUT})
"""Parameters of a run that only the platform writes."""
OWN_TAGS: Final = frozenset({JOB, DATA_DIGEST, DATA_SOURCE, CODE_REVISION, DATA_CONTRACT, FAILURE, GATE})
"""Tags of a run that only the platform writes."""


def says_there_is_none(error: MlflowException) -> bool:
    """Return whether MLflow answered that no version has an alias. Its stores use different error codes for that."""
    return error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
