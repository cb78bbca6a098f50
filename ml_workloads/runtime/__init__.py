"""What runs inside every image of a project: loading data, checking it, evaluating and gating models.

Usable without Kubernetes and without an AWS account: a team tests its project with it on a laptop.
"""

import os

# Before MLflow is imported: a thread of it would tell its makers of each use, and may keep `mlflow.autolog()` waiting
# for ever, each holding one of two locks of importing that the other needs.
# https://mlflow.org/docs/latest/community/usage-tracking/
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
