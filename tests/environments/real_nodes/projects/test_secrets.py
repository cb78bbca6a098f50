"""Secret values stay in their places: no manifest, state, log or process argument contains one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from mlp.projects.follow import has_begun
from tests.environments.real_nodes.deployed import STACK
from tests.environments.real_nodes.projects.conftest import FailingRuns, FirstModel
from tests.environments.real_nodes.projects.deployed import PREFIX, DeployedProjects
from tests.environments.real_nodes.projects.secrets import PLANTED
from tests.environments.real_nodes.projects.sources import EXAMPLE, OTHER

# Requests whose purpose it is to hand a value over; the account cannot come back without them.
MAY_HOLD = {"secretsmanager:PutSecretValue"}


@pytest.fixture(scope="module")
def values(deployed: DeployedProjects, first_model: FirstModel, failing_runs: FailingRuns) -> dict[str, str]:
    """Return secret values by purpose; the planted one is in a secret that its project's pods may read."""
    (instance,) = deployed.box.client("rds").describe_db_instances()["DBInstances"]
    admin = json.loads(deployed.secret(f"{PREFIX}/mlflow/admin"))
    return {
        "planted": PLANTED,
        "administrator": admin["password"],
        "sessions": admin["session_key"],
        "role": json.loads(deployed.secret(f"{PREFIX}/mlflow/database"))["password"],
        "database": json.loads(deployed.secret(instance["MasterUserSecret"]["SecretArn"]))["password"],
        **{
            name: json.loads(deployed.secret(f"{PREFIX}/mlflow/accounts/{name}/password"))["password"]
            for name in (EXAMPLE, OTHER)
        },
    }


def found_in(values: dict[str, str], text: str) -> set[str]:
    """Return the names of the values that occur in a text, also in JSON's spelling."""
    return {name for name, value in values.items() if value in text or json.dumps(value)[1:-1] in text}


def test_no_object_of_the_cluster_has_one(deployed: DeployedProjects, values: dict[str, str]) -> None:
    kinds = deployed.box.run("kubectl", "api-resources", "--verbs=list", "--output=name").stdout.split()
    listed = deployed.box.run("kubectl", "get", ",".join(kinds), "--all-namespaces", "--output=json").stdout
    assert '"kind": "CronJob"' in listed
    assert '"kind": "Secret"' in listed or '"kind": "ConfigMap"' in listed
    assert f"{PREFIX}/projects/{OTHER}" in listed
    assert found_in(values, listed) == set()


def test_the_exported_state_has_none_with_its_secrets_shown(deployed: DeployedProjects, values: dict[str, str]) -> None:
    command = ("pulumi", "stack", "export", "--stack", STACK, "--show-secrets", "--non-interactive")
    exported = deployed.box.run(*command, cwd=deployed.copy.folder).stdout
    assert f"{PREFIX}/mlflow/accounts/{EXAMPLE}" in exported
    assert found_in(values, exported) == set()


def test_no_log_of_a_pod_has_one(deployed: DeployedProjects, values: dict[str, str]) -> None:
    read = 0
    for pod in deployed.list("/api/v1/pods"):
        if not has_begun(pod):
            continue
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        log = deployed.box.kubectl("logs", name, "--namespace", namespace, "--all-containers", "--tail=-1", ok=False)
        read += bool(log.strip())
        assert found_in(values, log) == set(), name
    assert read >= 5


def test_no_run_version_or_model_of_mlflow_has_one(deployed: DeployedProjects, values: dict[str, str]) -> None:
    with deployed.administration() as client:
        experiments = [each.experiment_id for each in client.search_experiments()]
        runs = [str(run.to_dictionary()) for run in client.search_runs(experiments)]
        versions = [str(dict(each)) for each in client.search_model_versions()]
        models = [str(dict(each)) for each in client.search_registered_models()]
    assert len(runs) >= 3
    assert versions
    assert found_in(values, "\n".join([*runs, *versions, *models])) == set()


def test_no_process_of_the_machine_has_one_among_its_arguments(values: dict[str, str]) -> None:
    arguments = [line for process in psutil.process_iter() if (line := command_line(process))]
    assert any("mlflow.server" in line for line in arguments)
    assert any("ml_workloads.runtime.serving" in line for line in arguments)
    assert found_in(values, "\n".join(arguments)) == set()


def command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def test_of_the_journal_only_requests_that_hand_values_over_hold_them(
    deployed: DeployedProjects, values: dict[str, str]
) -> None:
    """The database password is not even there: the account derives it again from the request's seed."""
    journal = deployed.box.instance.aws / "journal"
    holders: dict[str, set[str]] = {}
    for line in (journal / "journal.jsonl").read_text().splitlines():
        entry = json.loads(line.partition(" ")[2])
        for name in found_in(values, line) | found_in(values, str(entry.get("text", ""))):
            holders.setdefault(name, set()).add(entry["op"])
    assert holders.keys() == values.keys() - {"database"}
    assert set[str]().union(*holders.values()) == MAY_HOLD
    for path in files(journal / "bodies"):
        assert found_in(values, path.read_bytes().decode(errors="replace")) == set(), path


def test_no_log_and_no_state_file_of_the_sandbox_has_one(deployed: DeployedProjects, values: dict[str, str]) -> None:
    home = deployed.box.instance.home
    looked_at = [*files(home / "logs"), *files(home / "state"), *files(deployed.folder.log)]
    assert looked_at
    for path in looked_at:
        assert found_in(values, path.read_bytes().decode(errors="replace")) == set(), path


def files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())
