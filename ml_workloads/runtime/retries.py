"""Number of retries of MLflow's client: one. Runs and servers do their own retries, and log them.

With the client's default, one call takes four minutes to fail: a server would log nothing for that time, and notice
late that MLflow is available again.
"""

import os

from mlflow.exceptions import MlflowException, RestException

_VARIABLE = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"


def fail_early() -> None:
    """Limit the retries of MLflow's client in this process, unless its environment sets another number.

    https://mlflow.org/docs/latest/api_reference/python_api/mlflow.environment_variables.html
    """
    os.environ.setdefault(_VARIABLE, "1")


def is_passing(error: BaseException) -> bool:
    """Return whether a retry may succeed: no connection, or a server error, but not a rejected request."""
    if isinstance(error, RestException):
        return error.get_http_status_code() >= 500
    if isinstance(error, MlflowException):
        return "API request to" in str(error)
    return isinstance(error, ConnectionError | TimeoutError)
