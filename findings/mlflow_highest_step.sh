#!/usr/bin/env bash
# Behaviour: The metrics of a run hold the value of the highest step, not the value logged last.
# Package: mlflow-skinny
# Version: 3.17.2
# Date: 2026-11-29
# Expected: After log_metric("f1", 0.9, step=100) and a second later log_metric("f1", 0.5), run.data.metrics says 0.5.
#   The docstring says "the metric value with the latest timestamp is returned".
# Observed: run.data.metrics says 0.9. MLflow orders values by step, then by time, then by value. A value without a step
#   has step 0. A file store and a database agree.
# Consequence: A final score without a step, logged after metrics of training steps, is in the history only. A
#   comparison of runs or a promotion by run.data.metrics reads the value of the last training step instead.
# Output:
#   mlflow-skinny 3.17.2
#   file:runs: logged as (value, timestamp, step): [(0.9, 1000, 100), (0.5, 2000, 0)]; run.data.metrics: 0.9
#   sqlite:///runs.db: logged as (value, timestamp, step): [(0.9, 1000, 100), (0.5, 2000, 0)]; run.data.metrics: 0.9
# See: https://github.com/mlflow/mlflow/pull/1142
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
