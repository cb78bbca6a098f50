"""How often MLflow's client tries again by itself: once. Runs and servers try again on their own, and say so.

As it comes, one call takes four minutes to fail: a server would say nothing of it for so long, and notice late that
MLflow is back.
"""

import os

_VARIABLE = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"


def fail_early() -> None:
    """For this process, unless its environment says another number.

    https://mlflow.org/docs/latest/api_reference/python_api/mlflow.environment_variables.html
    """
    os.environ.setdefault(_VARIABLE, "1")
