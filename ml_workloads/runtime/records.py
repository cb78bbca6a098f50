"""Tags that runs and versions are given in MLflow: training writes them, promotions and people read them."""

from typing import Final

from mlflow.exceptions import MlflowException

JOB: Final = "job"
"""Of a run: the same for all attempts."""

DATA_DIGEST: Final = "data_digest"
DATA_SOURCE: Final = "data_source"
CODE_REVISION: Final = "code_revision"

DATA_CONTRACT: Final = "data_contract"
CONTRACT_MET: Final = "passed"
"""Of a run whose data was held against the contract and met it; other runs do not have the tag at all."""

FAILURE: Final = "failure"
"""Of a run that failed: why."""

GATE: Final = "gate"
GATE_PASSED: Final = "passed"
"""Of a version: this, or the reasons that training's gate gave."""

TARGET: Final = "target"
HOLDOUT: Final = "holdout"
OWN_PARAMETERS: Final = frozenset({TARGET, HOLDOUT})
"""Parameters of a run that only the platform writes."""
OWN_TAGS: Final = frozenset({JOB, DATA_DIGEST, DATA_SOURCE, CODE_REVISION, DATA_CONTRACT, FAILURE, GATE})
"""Tags of a run that only the platform writes."""


def says_there_is_none(error: MlflowException) -> bool:
    """Whether MLflow answered that an alias names no version; its stores do so in different words."""
    return error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
