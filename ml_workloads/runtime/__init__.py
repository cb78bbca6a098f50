"""Runtime inside every image of a project: it loads and checks data, and evaluates and gates models.

It works without Kubernetes and without an AWS account, so a team can test its project on a laptop.
"""

import os

# Set this before MLflow is imported. Its telemetry thread reports each use to MLflow's developers, and can deadlock
# with `mlflow.autolog()`: each holds one of two import locks that the other needs.
# https://mlflow.org/docs/latest/community/usage-tracking/
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
