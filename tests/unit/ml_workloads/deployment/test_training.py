"""The training CronJob: when it runs, when a run is over, and what its pod is given."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ml_workloads.runtime.training.__main__ import (
    CODE,
    TRY_AGAIN,
    WRONG,
    LocalDocument,
    S3Document,
    SqlDocument,
    TrainingSettings,
)
from tests.contract.pod_security import violations
from tests.unit.ml_workloads.deployment.platforms import Deployed, deployed, project, variables
from tests.unit.platform_services.clusters import pool

S3 = {"type": "s3", "path": "customers/"}


def read_by_the_runtime(made: Deployed, monkeypatch: pytest.MonkeyPatch) -> TrainingSettings:
    for name, value in {**variables(made.training_pod), "TRAINING_JOB": "training-28"}.items():
        monkeypatch.setenv(name, value)
    return TrainingSettings()  # pyright: ignore[reportCallIssue]


def test_the_runtime_reads_what_the_project_says(monkeypatch: pytest.MonkeyPatch):
    settings = read_by_the_runtime(made := deployed(), monkeypatch)
    [container] = made.training_pod["containers"]
    assert settings.project == "churn"
    assert settings.job == "training-28"
    assert settings.revision == container["image"].rpartition(":")[2]
    assert (settings.contract, settings.entrypoint) == ("churn.contract:customers", "churn.training:train")
    assert (settings.target, settings.holdout, settings.alias) == ("leaves", 0.2, "dev")
    assert settings.gate.model_dump() == {"metric": "f1", "bound": 0.8, "max_regression": 0.0}


def test_every_training_variable_is_one_that_the_runtime_knows():
    given = {name for name in variables(deployed().training_pod) if name.startswith("TRAINING_")}
    assert given <= {f"TRAINING_{field.upper()}" for field in TrainingSettings.model_fields}


def test_a_gate_on_an_error_has_its_maximum_as_bound(monkeypatch: pytest.MonkeyPatch):
    gate = {"metric": "rmse", "maximum": 2.5, "max_regression": 0.1}
    settings = read_by_the_runtime(deployed(project(training={"gate": gate})), monkeypatch)
    assert settings.gate.model_dump() == {"metric": "rmse", "bound": 2.5, "max_regression": 0.1}


def test_a_query_goes_with_the_arn_of_its_secret(monkeypatch: pytest.MonkeyPatch):
    settings = read_by_the_runtime(deployed(), monkeypatch)
    query = "SELECT * FROM customers ORDER BY id"
    assert settings.data == SqlDocument(
        type="sql", secret="arn:aws:mock:::workloads-churn-secrets-projects-churn-warehouse", query=query
    )


def test_objects_are_below_the_projects_own_prefix(monkeypatch: pytest.MonkeyPatch):
    settings = read_by_the_runtime(deployed(project(data={"source": S3})), monkeypatch)
    assert settings.data == S3Document(type="s3", bucket="lake", key="projects/churn/customers/")


def test_a_file_of_the_image_keeps_its_path(monkeypatch: pytest.MonkeyPatch):
    settings = read_by_the_runtime(
        deployed(project(data={"source": {"type": "local", "path": "data/a.csv"}})), monkeypatch
    )
    assert settings.data == LocalDocument(type="local", path=Path("data/a.csv"))


def test_a_run_knows_its_job_from_its_label():
    [container] = deployed().training_pod["containers"]
    [own] = [each for each in container["env"] if each["name"] == "TRAINING_JOB"]
    path = "metadata.labels['batch.kubernetes.io/job-name']"
    assert own["valueFrom"] == {"fieldRef": {"fieldPath": path}}


def test_the_schedule_is_in_utc_and_runs_do_not_overlap():
    spec = deployed().kind("CronJob").inputs["spec"]
    assert (spec["schedule"], spec["timeZone"], spec["suspend"]) == ("0 3 * * 1", "Etc/UTC", False)
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["startingDeadlineSeconds"] == 3600


def test_without_a_schedule_nothing_runs_by_itself():
    spec = deployed(project(training={"schedule": None})).kind("CronJob").inputs["spec"]
    assert spec["suspend"] is True
    assert spec["schedule"] == "0 0 1 1 *"


def test_a_paused_schedule_stays_in_the_object_and_starts_nothing():
    spec = deployed(project(training={"paused": True})).kind("CronJob").inputs["spec"]
    assert (spec["schedule"], spec["suspend"]) == ("0 3 * * 1", True)


def test_words_for_missing_values_and_trusted_types_reach_both_parts():
    made = deployed(
        project(data={"missing_values": ["", "NA", "-99"]}, training={"trusted_types": ["churn.features.Ratio"]})
    )
    training, serving = variables(made.training_pod), variables(made.serving_pod)
    assert json.loads(training["TRAINING_MISSING_VALUES"]) == ["", "NA", "-99"]
    assert json.loads(training["TRAINING_TRUSTED_TYPES"]) == ["churn.features.Ratio"]
    assert json.loads(serving["SERVING_TRUSTED_TYPES"]) == ["churn.features.Ratio"]
    assert json.loads(variables(deployed().training_pod)["TRAINING_MISSING_VALUES"]) == [""]


def test_deadline_and_retries_are_those_of_the_project():
    job = deployed(project(training={"deadline_minutes": 15, "retries": 3})).job
    assert (job["activeDeadlineSeconds"], job["backoffLimit"]) == (900, 3)
    assert job["ttlSecondsAfterFinished"] == 7 * 24 * 3600


def decided(policy: dict[str, Any], *, code: int, disrupted: bool = False) -> str:
    """What the Job controller does about a failed pod: the first rule that fits, else it counts.

    https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy
    """
    for rule in policy["rules"]:
        for condition in rule.get("onPodConditions", []):
            if disrupted and (condition["type"], condition["status"]) == ("DisruptionTarget", "True"):
                return rule["action"]
        codes = rule.get("onExitCodes")
        if codes and (codes["containerName"], codes["operator"]) == ("training", "In") and code in codes["values"]:
            return rule["action"]
    return "Count"


@pytest.mark.parametrize(
    ("code", "disrupted", "action"),
    [
        (CODE, False, "FailJob"),
        (WRONG, False, "FailJob"),
        (TRY_AGAIN, False, "Ignore"),  # the platform's fault, until the deadline
        (137, False, "Count"),  # the kernel, for want of memory
        (143, True, "Ignore"),  # its node was taken away
        (CODE, True, "Ignore"),  # and the project's code made something else of it
    ],
)
def test_a_failed_pod_is_started_anew_only_where_that_can_help(code: int, disrupted: bool, action: str):
    job = deployed().job
    assert decided(job["podFailurePolicy"], code=code, disrupted=disrupted) == action
    # The API server refuses a failure policy with any other.
    assert job["template"]["spec"]["restartPolicy"] == "Never"
    assert [each["name"] for each in job["template"]["spec"]["containers"]] == ["training"]


def test_the_pod_is_restricted_and_writes_only_to_its_own_small_folder():
    pod = deployed().training_pod
    [container] = pod["containers"]
    assert list(violations(pod)) == []
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["volumeMounts"] == [{"name": "scratch", "mountPath": "/tmp"}]
    assert pod["volumes"] == [{"name": "scratch", "emptyDir": {"sizeLimit": "4Gi"}}]
    given = variables(pod)
    assert {given[name].split("/")[1] for name in ("HOME", "TMPDIR", "MPLCONFIGDIR")} == {"tmp"}


def test_the_pod_runs_the_runtime_and_its_last_words_are_kept():
    pod = deployed().training_pod
    [container] = pod["containers"]
    assert container["command"] == ["python", "-m", "ml_workloads.runtime.training"]
    assert container["terminationMessagePolicy"] == "FallbackToLogsOnError"
    assert pod["priorityClassName"] == "training"
    assert pod["serviceAccountName"] == "training"


def test_the_pod_gets_its_accelerator_on_nodes_that_have_it():
    pod = deployed().training_pod
    [container] = pod["containers"]
    assert pod["nodeSelector"] == {"accelerator": "nvidia-l4"}
    assert pod["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    assert container["resources"] == {
        "requests": {"cpu": "2", "memory": "4Gi", "ephemeral-storage": "1Gi", "nvidia.com/gpu": "1"},
        "limits": {"memory": "4Gi", "ephemeral-storage": "5Gi", "nvidia.com/gpu": "1"},
    }


def test_without_an_accelerator_the_pod_stays_off_nodes_that_have_one():
    pod = deployed(project(training={"accelerator": None})).training_pod
    assert "nodeSelector" not in pod
    assert "tolerations" not in pod
    assert "nvidia.com/gpu" not in json.dumps(pod)


def test_a_node_is_not_emptied_of_a_run():
    metadata = deployed().job["template"]["metadata"]
    assert metadata["annotations"] == {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}


def test_efa_is_asked_for_without_huge_pages_which_a_pod_would_have_to_ask_for_too():
    h100 = replace(pool("h100", "p5.48xlarge", "nvidia-h100"), efa=True)
    wanted = project(
        training={"accelerator": {"type": "nvidia-h100", "count": 8}, "efa": 32},
        quota={"accelerators": 8, "efa": 32},
    )
    pod = deployed(wanted, pools=(h100,)).training_pod
    [container] = pod["containers"]
    asked = {"nvidia.com/gpu": "8", "vpc.amazonaws.com/efa": "32"}
    assert asked.items() <= container["resources"]["requests"].items()
    assert asked.items() <= container["resources"]["limits"].items()
    assert variables(pod)["FI_EFA_USE_HUGE_PAGE"] == "0"


def test_without_a_wish_a_run_asks_for_no_efa():
    pod = deployed().training_pod
    [container] = pod["containers"]
    assert "vpc.amazonaws.com/efa" not in container["resources"]["limits"]
    assert "FI_EFA_USE_HUGE_PAGE" not in variables(pod)
