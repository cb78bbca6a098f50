"""Only the set-up reads the database's master user, and every password that the cluster creates can be rotated."""

from __future__ import annotations

import json
from typing import Any

from platform_services.mlflow.rotation_names import PARTS, cronjob
from tests.contract.iam import as_list
from tests.contract.manifests import of_kind
from tests.contract.programs import Program

ROLE_POLICY, INSTANCE = "aws:iam/rolePolicy:RolePolicy", "aws:rds/instance:Instance"
WRITES = {"secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"}


def allowed(environment: Program, action: str) -> dict[str, set[str]]:
    """Return the resources of an action, by the role's policy."""
    found: dict[str, set[str]] = {}
    for each in environment.of_type(ROLE_POLICY):
        for statement in json.loads(each.inputs["policy"])["Statement"]:
            if statement["Effect"] == "Allow" and action in as_list(statement["Action"]):
                found.setdefault(each.name, set()).update(as_list(statement["Resource"]))
    return found


def master_secret(environment: Program) -> str:
    [secret] = [
        arn
        for arn in allowed(environment, "secretsmanager:GetSecretValue")["platform-mlflow-set-up-pod-policy"]
        if "/mlflow/" not in arn and "mlflow-secrets" not in arn
    ]
    return secret


def containers(environment: Program) -> dict[str, dict[str, Any]]:
    """Return the environment variables of MLflow's pods, by kind and name of their objects."""
    found: dict[str, dict[str, Any]] = {}
    for kind in ("Deployment", "Job", "CronJob"):
        for each in of_kind(environment, kind):
            metadata, spec = each.inputs["metadata"], each.inputs["spec"]
            if metadata["namespace"] != "ml-platform":
                continue
            pod = (spec["jobTemplate"]["spec"] if kind == "CronJob" else spec)["template"]["spec"]
            variables = {variable["name"]: variable["value"] for variable in pod["containers"][0]["env"]}
            found[f"{kind} {metadata['name']}"] = {"account": pod["serviceAccountName"], **variables}
    return found


def test_only_the_set_up_reads_the_master_users_secret(environment: Program):
    secret = master_secret(environment)
    readers = allowed(environment, "secretsmanager:GetSecretValue")
    assert {name for name, arns in readers.items() if secret in arns} == {"platform-mlflow-set-up-pod-policy"}
    named = {name: values["account"] for name, values in containers(environment).items() if secret in values.values()}
    assert named == {"Job mlflow-set-up": "mlflow-set-up", "CronJob mlflow-rotate-database": "mlflow-set-up"}


def test_the_server_reads_its_own_login_and_writes_no_secret(environment: Program):
    server = containers(environment)["Deployment mlflow"]
    assert "PLATFORM_MASTER_SECRET" not in server
    readable = allowed(environment, "secretsmanager:GetSecretValue")["platform-mlflow-server-pod-policy"]
    assert readable == {server["PLATFORM_DATABASE_SECRET"], server["PLATFORM_ADMIN_SECRET"]}
    for action in WRITES:
        assert "platform-mlflow-server-pod-policy" not in allowed(environment, action)


def test_whoever_makes_a_password_may_rotate_it_and_has_a_cronjob_that_never_runs_by_itself(environment: Program):
    made, moved = (allowed(environment, action) for action in sorted(WRITES))
    makers = {name: arns for name, arns in made.items() if "-pod-" in name}
    assert set(makers) == {"platform-mlflow-set-up-pod-policy", "workloads-accounts-pod-pod-policy"}
    assert {name: moved[name] for name in makers} == makers
    jobs = {each.inputs["metadata"]["name"]: each.inputs["spec"] for each in of_kind(environment, "CronJob")}
    for part in PARTS:
        assert jobs[cronjob(part)]["suspend"] is True
