#!/usr/bin/env bash
# MLflow: the metrics of a run hold the value of the highest step, not the value logged last.
#
# One would guess: after log_metric("f1", 0.9, step=100) and a second later log_metric("f1", 0.5), run.data.metrics
# says 0.5. Its docstring says "the metric value with the latest timestamp is returned".
# What happens: it says 0.9. Values are ordered by step, then by time, then by value, and a value without a step has
# step 0. A file store and a database agree.
# Why it matters: a final score logged without a step after metrics of training steps is in the history only. Whatever
# compares runs or promotes a model by run.data.metrics reads the value of the last training step instead.
#
# https://github.com/mlflow/mlflow/pull/1142
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --no-compile mlflow-skinny==3.17.2 sqlalchemy==2.1.9 alembic==1.20.1
# The file store asks for the first; the second turns telemetry off.
export MLFLOW_ALLOW_FILE_STORE=true MLFLOW_DISABLE_TELEMETRY=true MLFLOW_LOGGING_LEVEL=WARNING
venv/bin/python - <<'END'
import sys

import mlflow

print("mlflow-skinny", mlflow.__version__)
for store in ("file:runs", "sqlite:///runs.db"):
    client = mlflow.MlflowClient(store)
    run = client.create_run(client.create_experiment("example")).info.run_id
    client.log_metric(run, "f1", 0.9, timestamp=1000, step=100)
    client.log_metric(run, "f1", 0.5, timestamp=2000)
    history = [(each.value, each.timestamp, each.step) for each in client.get_metric_history(run, "f1")]
    latest = client.get_run(run).data.metrics["f1"]
    print(f"{store}: logged as (value, timestamp, step): {history}; run.data.metrics: {latest}")
    if latest != 0.9:
        sys.exit(f"changed: the value of the highest step was expected, 0.9, and {latest} came")
END
