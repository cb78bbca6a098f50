"""The training CronJob: its schedule, the end of a run, and the settings of a run's pods."""

import json
from pathlib import Path
from typing import Any, TypeVar

import pytest
from pydantic_settings import BaseSettings

from ml_workloads.runtime.conductor import __main__ as conducting
from ml_workloads.runtime.conductor import jobs
from ml_workloads.runtime.conductor.__main__ import ConductorSettings
from ml_workloads.runtime.conductor.sources import LocalDocument, S3Document, SqlDocument
from ml_workloads.runtime.training import __main__ as training
from ml_workloads.runtime.training.__main__ import TrainingSettings
from ml_workloads.runtime.worker import messages
from ml_workloads.runtime.worker.__main__ import WorkerSettings
from tests.contract.pod_security import violations
from tests.unit.ml_workloads.deployment.platforms import Deployed, deployed, project, variables
from tests.unit.platform_services.clusters import pool

Settings = TypeVar("Settings", bound=BaseSettings)

S3 = {"type": "s3", "path": "customers/"}
LOCAL = {"type": "local", "path": "data/a.csv"}
PARTS: dict[str, type[BaseSettings]] = {
    "conductor": ConductorSettings,
    "fit": TrainingSettings,
    "worker": WorkerSettings,
}
PREFIXES = {part: str(settings.model_config.get("env_prefix")) for part, settings in PARTS.items()}
FROM_THE_POD = {
    "CONDUCTOR_JOB": "training-28",
    "CONDUCTOR_JOB_UID": "1f2e",
    "CONDUCTOR_NAMESPACE": "growth-churn",
    "TRAINING_JOB": "training-28-fit",
}
FOR_THE_PROJECTS_CODE = {"TRAINING_CHECKPOINTS"}


def read_by_the_runtime(
    made: Deployed, part: str, settings: type[Settings], monkeypatch: pytest.MonkeyPatch
) -> Settings:
    with monkeypatch.context() as environment:
        for name, value in {**variables(made.pod(part)), **FROM_THE_POD}.items():
            environment.setenv(name, value)
        return settings()


def conductors(made: Deployed, monkeypatch: pytest.MonkeyPatch) -> ConductorSettings:
    return read_by_the_runtime(made, "conductor", ConductorSettings, monkeypatch)


def container(made: Deployed, part: str) -> dict[str, Any]:
    [found] = made.pod(part)["containers"]
    return found


def test_the_conductor_reads_what_the_project_says(monkeypatch: pytest.MonkeyPatch):
    settings = conductors(made := deployed(), monkeypatch)
    assert settings.project == "churn"
    assert (settings.job, settings.job_uid, settings.namespace) == ("training-28", "1f2e", "growth-churn")
    assert settings.bucket == "lake"
    # The code that is recorded is the project's, and not the conductor's own.
    assert settings.revision == container(made, "fit")["image"].rpartition(":")[2]
    assert (settings.target, settings.holdout, settings.alias) == ("leaves", 0.2, "dev")
    assert settings.gate.model_dump() == {"metric": "f1", "bound": 0.8, "max_regression": 0.0}


def test_the_training_reads_what_the_project_says(monkeypatch: pytest.MonkeyPatch):
    settings = read_by_the_runtime(deployed(), "fit", TrainingSettings, monkeypatch)
    assert (settings.project, settings.job, settings.bucket) == ("churn", "training-28-fit", "lake")
    assert (settings.contract, settings.entrypoint) == ("churn.contract:customers", "churn.training:train")
    assert (settings.target, settings.holdout) == ("leaves", 0.2)
    assert settings.gate.model_dump() == {"metric": "f1", "bound": 0.8, "max_regression": 0.0}


def test_the_worker_reads_what_the_project_says(monkeypatch: pytest.MonkeyPatch):
    made = deployed(project(data={"source": LOCAL}))
    settings = read_by_the_runtime(made, "worker", WorkerSettings, monkeypatch)
    assert (settings.contract, settings.data) == ("churn.contract:customers", Path("data/a.csv"))
    assert (settings.host, settings.port) == ("0.0.0.0", messages.PORT)
    assert read_by_the_runtime(deployed(), "worker", WorkerSettings, monkeypatch).data is None


@pytest.mark.parametrize("part", PARTS)
def test_every_variable_of_a_part_is_one_that_the_runtime_knows(part: str):
    prefix = PREFIXES[part]
    given = {each["name"] for each in container(deployed(), part)["env"] if each["name"].startswith(prefix)}
    assert len(given) > 2
    known = {f"{prefix}{field.upper()}" for field in PARTS[part].model_fields}
    assert given - FOR_THE_PROJECTS_CODE <= known


@pytest.mark.parametrize("part", PARTS)
def test_what_the_runtime_demands_is_given(part: str):
    given = {each["name"] for each in container(deployed(), part)["env"]}
    prefix = PREFIXES[part]
    demanded = {f"{prefix}{name.upper()}" for name, field in PARTS[part].model_fields.items() if field.is_required()}
    assert demanded <= given


@pytest.mark.parametrize(
    ("part", "begins", "given"),
    [
        ("conductor", ("MLFLOW_", "TRACKING_"), True),
        ("conductor", ("AWS_",), True),
        ("conductor", ("SECRET_", "TRAINING_", "WORKER_"), False),
        ("fit", ("MLFLOW_", "TRACKING_", "CONDUCTOR_", "WORKER_"), False),
        ("fit", ("AWS_", "SECRET_KEY_OF_SHOP", "TRAINING_CHECKPOINTS"), True),
        ("fit", ("SECRET_WAREHOUSE",), False),
        ("worker", ("MLFLOW_", "TRACKING_", "AWS_", "SECRET_", "CONDUCTOR_", "TRAINING_"), False),
    ],
)
def test_a_part_is_told_nothing_that_is_not_for_it(part: str, begins: tuple[str, ...], given: bool):
    made = deployed(project(secrets=["warehouse", "key-of-shop"]))
    names = [each["name"] for each in container(made, part)["env"]]
    for start in begins:
        assert any(name.startswith(start) for name in names) is given, start


def test_where_the_data_is_only_conductors_are_told():
    made = deployed(project(data={"source": S3}))
    assert "projects/churn/customers/" in json.dumps(made.pod("conductor"))
    for part in ("fit", "worker", "serving"):
        assert "customers/" not in json.dumps(made.pod(part)), part


def test_checkpoints_are_kept_where_the_role_of_the_training_lets_it():
    assert variables(deployed().pod("fit"))["TRAINING_CHECKPOINTS"] == "s3://lake/runs/churn/checkpoints/"


def test_a_gate_on_an_error_has_its_maximum_as_bound(monkeypatch: pytest.MonkeyPatch):
    gate = {"metric": "rmse", "maximum": 2.5, "max_regression": 0.1}
    settings = conductors(deployed(project(training={"gate": gate})), monkeypatch)
    assert settings.gate.model_dump() == {"metric": "rmse", "bound": 2.5, "max_regression": 0.1}


def test_a_query_goes_with_the_arn_of_its_secret(monkeypatch: pytest.MonkeyPatch):
    settings = conductors(deployed(), monkeypatch)
    query = "SELECT * FROM customers ORDER BY id"
    assert settings.data == SqlDocument(
        type="sql", secret="arn:aws:mock:::workloads-churn-secrets-projects-churn-warehouse", query=query
    )


def test_objects_are_below_the_projects_own_prefix(monkeypatch: pytest.MonkeyPatch):
    settings = conductors(deployed(project(data={"source": S3})), monkeypatch)
    assert settings.data == S3Document(type="s3", bucket="lake", key="projects/churn/customers/")


def test_a_file_of_the_image_keeps_its_path(monkeypatch: pytest.MonkeyPatch):
    settings = conductors(deployed(project(data={"source": LOCAL})), monkeypatch)
    assert settings.data == LocalDocument(type="local", path=Path("data/a.csv"))


@pytest.mark.parametrize(
    ("part", "name", "path"),
    [
        ("conductor", "CONDUCTOR_JOB", "metadata.labels['batch.kubernetes.io/job-name']"),
        ("conductor", "CONDUCTOR_JOB_UID", "metadata.labels['batch.kubernetes.io/controller-uid']"),
        ("conductor", "CONDUCTOR_NAMESPACE", "metadata.namespace"),
        ("fit", "TRAINING_JOB", "metadata.labels['batch.kubernetes.io/job-name']"),
    ],
)
def test_a_run_knows_its_job_from_its_labels(part: str, name: str, path: str):
    [own] = [each for each in container(deployed(), part)["env"] if each["name"] == name]
    assert own["valueFrom"] == {"fieldRef": {"fieldPath": path}}


def runs(made: Deployed) -> dict[str, Any]:
    return made.kind("CronJob", "training").inputs["spec"]


def test_the_schedule_is_in_utc_and_runs_do_not_overlap():
    spec = runs(deployed())
    assert (spec["schedule"], spec["timeZone"], spec["suspend"]) == ("0 3 * * 1", "Etc/UTC", False)
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["startingDeadlineSeconds"] == 3600


def test_without_a_schedule_nothing_runs_by_itself():
    spec = runs(deployed(project(training={"schedule": None})))
    assert spec["suspend"] is True
    assert spec["schedule"] == "0 0 1 1 *"


def test_a_paused_schedule_stays_in_the_object_and_starts_nothing():
    spec = runs(deployed(project(training={"paused": True})))
    assert (spec["schedule"], spec["suspend"]) == ("0 3 * * 1", True)


@pytest.mark.parametrize("part", ["fit", "worker"])
@pytest.mark.parametrize("schedule", ["0 3 * * 1", None])
def test_what_conductors_make_jobs_from_never_runs_by_itself(part: str, schedule: str | None):
    spec = deployed(project(training={"schedule": schedule})).kind("CronJob", part).inputs["spec"]
    assert (spec["suspend"], spec["schedule"]) == (True, "0 0 1 1 *")


def test_conductors_look_for_the_cronjobs_that_there_are():
    made = deployed()
    names = {each.inputs["metadata"]["name"] for each in made.kinds("CronJob")}
    assert names == {"training", jobs.FIT, jobs.WORKER}


def test_words_for_missing_values_and_trusted_types_reach_all_parts_that_read_them():
    made = deployed(
        project(data={"missing_values": ["", "NA", "-99"]}, training={"trusted_types": ["churn.features.Ratio"]})
    )
    assert json.loads(variables(made.pod("conductor"))["CONDUCTOR_MISSING_VALUES"]) == ["", "NA", "-99"]
    names = {"conductor": "CONDUCTOR", "fit": "TRAINING", "worker": "WORKER", "serving": "SERVING"}
    for part, start in names.items():
        assert json.loads(variables(made.pod(part))[f"{start}_TRUSTED_TYPES"]) == ["churn.features.Ratio"]
    assert json.loads(variables(deployed().pod("conductor"))["CONDUCTOR_MISSING_VALUES"]) == [""]


@pytest.mark.parametrize(("part", "retries"), [("conductor", 3), ("fit", 3), ("worker", 0)])
def test_deadline_and_retries_are_those_of_the_project(part: str, retries: int):
    """A worker keeps state in memory, and a second one knows nothing of it."""
    job = deployed(project(training={"deadline_minutes": 15, "retries": 3})).job(part)
    assert (job["activeDeadlineSeconds"], job["backoffLimit"]) == (900, retries)


def test_runs_are_kept_for_a_week_and_what_a_killed_conductor_left_for_an_hour():
    made = deployed()
    kept = {part: made.job(part)["ttlSecondsAfterFinished"] for part in PARTS}
    assert kept == {"conductor": 7 * 24 * 3600, "fit": 3600, "worker": 3600}


def decided(policy: dict[str, Any], container: str, *, code: int, disrupted: bool = False) -> str:
    """Return the Job controller's action on a failed pod: the first matching rule, else the failure counts.

    https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy
    """
    for rule in policy["rules"]:
        for condition in rule.get("onPodConditions", []):
            if disrupted and (condition["type"], condition["status"]) == ("DisruptionTarget", "True"):
                return rule["action"]
        codes = rule.get("onExitCodes")
        if codes and (codes["containerName"], codes["operator"]) == (container, "In") and code in codes["values"]:
            return rule["action"]
    return "Count"


@pytest.mark.parametrize("part", ["conductor", "fit"])
@pytest.mark.parametrize(
    ("code", "disrupted", "action"),
    [
        (training.CODE, False, "FailJob"),
        (training.WRONG, False, "FailJob"),
        (training.TRY_AGAIN, False, "Ignore"),  # the platform's fault, until the deadline
        (137, False, "Count"),  # the kernel, for want of memory
        (143, True, "Ignore"),  # its node was taken away
        (training.CODE, True, "Ignore"),  # and the project's code made something else of it
    ],
)
def test_a_failed_pod_is_started_anew_only_where_that_can_help(part: str, code: int, disrupted: bool, action: str):
    job = deployed().job(part)
    assert decided(job["podFailurePolicy"], part, code=code, disrupted=disrupted) == action


def test_conductor_and_training_mean_the_same_by_their_exit_codes():
    assert (conducting.CODE, conducting.WRONG, conducting.TRY_AGAIN) == (
        training.CODE,
        training.WRONG,
        training.TRY_AGAIN,
    )


@pytest.mark.parametrize("part", PARTS)
def test_a_failure_policy_names_the_only_container_of_pods_that_are_not_restarted(part: str):
    """The API server rejects a policy with any other container."""
    job = deployed().job(part)
    assert job["template"]["spec"]["restartPolicy"] == "Never"
    assert [each["name"] for each in job["template"]["spec"]["containers"]] == [part]


@pytest.mark.parametrize("part", PARTS)
def test_the_pods_are_restricted_and_write_only_to_their_own_small_folder(part: str):
    pod = deployed().pod(part)
    assert list(violations(pod)) == []
    assert container(deployed(), part)["securityContext"]["readOnlyRootFilesystem"] is True
    assert container(deployed(), part)["volumeMounts"] == [{"name": "scratch", "mountPath": "/tmp"}]
    assert pod["volumes"] == [{"name": "scratch", "emptyDir": {"sizeLimit": "4Gi"}}]
    given = variables(pod)
    assert {given[name].split("/")[1] for name in ("HOME", "TMPDIR", "MPLCONFIGDIR")} == {"tmp"}


@pytest.mark.parametrize(("part", "module"), [("conductor", "conductor"), ("fit", "training"), ("worker", "worker")])
def test_a_pod_runs_its_part_of_the_runtime_and_its_last_words_are_kept(part: str, module: str):
    pod = deployed().pod(part)
    assert container(deployed(), part)["command"] == ["python", "-m", f"ml_workloads.runtime.{module}"]
    assert container(deployed(), part)["terminationMessagePolicy"] == "FallbackToLogsOnError"
    assert pod["priorityClassName"] == "training"
    assert pod["serviceAccountName"] == part


def test_conductors_run_the_platforms_image_and_the_projects_code_runs_in_its_own():
    made = deployed()
    images = {
        part: container(made, part)["image"].rpartition(":")[0].rpartition("ml-platform-dev/")[2] for part in PARTS
    }
    assert images == {"conductor": "runtime", "fit": "projects/churn", "worker": "projects/churn"}


def test_a_conductor_has_time_to_end_what_it_started_before_it_is_killed():
    made = deployed()
    assert made.pod("conductor")["terminationGracePeriodSeconds"] == 60
    assert made.pod("worker")["terminationGracePeriodSeconds"] == 1


def test_the_training_gets_its_accelerator_on_nodes_that_have_it():
    pod = deployed().pod("fit")
    assert pod["nodeSelector"] == {"accelerator": "nvidia-l4"}
    assert pod["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    assert container(deployed(), "fit")["resources"] == {
        "requests": {"cpu": "2", "memory": "4Gi", "ephemeral-storage": "1Gi", "nvidia.com/gpu": "1"},
        "limits": {"memory": "4Gi", "ephemeral-storage": "5Gi", "nvidia.com/gpu": "1"},
    }


@pytest.mark.parametrize("part", ["conductor", "worker"])
def test_what_runs_beside_the_training_has_its_memory_and_no_accelerator(part: str):
    made = deployed()
    resources = container(made, part)["resources"]
    assert resources["requests"] == {"cpu": "250m", "memory": "4Gi", "ephemeral-storage": "1Gi"}
    assert resources["limits"]["memory"] == "4Gi"
    assert "nvidia" not in json.dumps(made.pod(part))
    assert "nodeSelector" not in made.pod(part)


def test_without_an_accelerator_the_pod_stays_off_nodes_that_have_one():
    pod = deployed(project(training={"accelerator": None})).pod("fit")
    assert "nodeSelector" not in pod
    assert "tolerations" not in pod
    assert "nvidia.com/gpu" not in json.dumps(pod)


@pytest.mark.parametrize("part", PARTS)
def test_a_node_is_not_emptied_of_a_run(part: str):
    metadata = deployed().job(part)["template"]["metadata"]
    assert metadata["annotations"] == {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}


def test_efa_is_asked_for_without_huge_pages_which_a_pod_would_have_to_ask_for_too():
    h100 = pool("h100", "p5.48xlarge", "nvidia-h100", efa=True)
    wanted = project(
        training={"accelerator": {"type": "nvidia-h100", "count": 8}, "efa": 32},
        quota={"accelerators": 8, "efa": 32},
    )
    pod = deployed(wanted, pools=(h100,)).pod("fit")
    [asking] = pod["containers"]
    asked = {"nvidia.com/gpu": "8", "vpc.amazonaws.com/efa": "32"}
    assert asked.items() <= asking["resources"]["requests"].items()
    assert asked.items() <= asking["resources"]["limits"].items()
    assert variables(pod)["FI_EFA_USE_HUGE_PAGE"] == "0"


def test_without_a_wish_a_run_asks_for_no_efa():
    pod = deployed().pod("fit")
    [asking] = pod["containers"]
    assert "vpc.amazonaws.com/efa" not in asking["resources"]["limits"]
    assert "FI_EFA_USE_HUGE_PAGE" not in variables(pod)


def test_workers_listen_where_conductors_ask_and_say_when_they_can_be_asked():
    worker = container(deployed(), "worker")
    assert worker["ports"] == [{"name": "http", "containerPort": messages.PORT}]
    assert worker["readinessProbe"] == {"httpGet": {"path": messages.HEALTH, "port": "http"}, "periodSeconds": 1}


def test_a_conductor_may_start_watch_and_delete_jobs_of_its_namespace_and_nothing_else():
    made = deployed()
    role, binding = made.kind("Role", "conductor").inputs, made.kind("RoleBinding", "conductor").inputs
    granted = {
        (group, resource, verb, name)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        for name in rule.get("resourceNames", ("",))
    }
    assert granted == {
        *(("batch", "jobs", verb, "") for verb in ("create", "delete", "get")),
        *(("batch", "cronjobs", "get", name) for name in ("fit", "worker")),
        *(("", kind, "list", "") for kind in ("events", "pods")),
        ("", "pods/log", "get", ""),
    }
    assert binding["roleRef"]["name"] == "conductor"
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "conductor", "namespace": "growth-churn"}]
