"""How often MLflow's client tries again by itself: once. Runs and servers try again on their own, and say so.

As it comes, one call takes four minutes to fail: a server would say nothing of it for so long, and notice late that
MLflow is back.
"""

import os

from mlflow.exceptions import MlflowException, RestException

_VARIABLE = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"


def fail_early() -> None:
    """For this process, unless its environment says another number.

    https://mlflow.org/docs/latest/api_reference/python_api/mlflow.environment_variables.html
    """
    os.environ.setdefault(_VARIABLE, "1")


def is_passing(error: BaseException) -> bool:
    """Whether it may work later: no connection, or a server that says so itself; not what the server refuses."""
    if isinstance(error, RestException):
        return error.get_http_status_code() >= 500
    if isinstance(error, MlflowException):
        return "API request to" in str(error)
    return isinstance(error, ConnectionError | TimeoutError)
