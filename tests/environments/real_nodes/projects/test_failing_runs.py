"""Training runs that fail: messages, records and retries."""

from __future__ import annotations

import json

import pytest

from ml_workloads.runtime import records
from tests.environments.real_nodes.deployed import STACK
from tests.environments.real_nodes.projects.conftest import FailingRuns, LaterRuns
from tests.environments.real_nodes.projects.deployed import (
    DeployedProjects,
    Ended,
    follow_run,
    kill_run,
    start_run,
    version_of_job,
    wait_for_line,
)
from tests.environments.real_nodes.projects.secrets import PLANTED
from tests.environments.real_nodes.projects.sources import EXAMPLE, OTHER, OTHER_SECRET


@pytest.fixture(scope="module")
def ended(deployed: DeployedProjects, failing_runs: FailingRuns) -> dict[str, Ended]:
    with deployed.session(OTHER) as session:
        return {what: follow_run(session, job) for what, job in failing_runs.jobs.items()}


def recorded(deployed: DeployedProjects, project: str, job: str) -> tuple[list[str], list[str], int]:
    """Return the statuses of a Job's runs, the failure reasons, and the number of created versions."""
    with deployed.tracking(project) as client:
        runs, versions = version_of_job(client, project, job)
    failures = [run.data.tags[records.FAILURE] for run in runs if records.FAILURE in run.data.tags]
    return [run.info.status for run in runs], failures, len(versions)


def test_code_that_raises_ends_the_command_with_1_and_its_last_words_and_is_not_tried_again(
    deployed: DeployedProjects, failing_runs: FailingRuns
) -> None:
    said, _ = failing_runs.raises.communicate(timeout=300)
    assert failing_runs.raises.returncode == 1
    assert "failed: the project's code failed (exit code 1)" in said
    assert "RuntimeError: it did not converge in 3 rounds" in said
    document = json.loads(said[said.index("{\n") : said.rindex("\n}") + 2])
    assert document["status"] == "failed"
    pods = deployed.pods(deployed.namespace_of(OTHER), f"job-name={document['job']}")
    assert len(pods) == 1
    statuses, (failure,), versions = recorded(deployed, OTHER, document["job"])
    assert (statuses, versions) == (["FAILED"], 0)
    assert failure.startswith("the project's code failed with RuntimeError: it did not converge in 3 rounds (")


def test_data_that_breaks_the_contract_is_named_by_column_and_row_and_nothing_is_registered(
    deployed: DeployedProjects, failing_runs: FailingRuns, ended: dict[str, Ended]
) -> None:
    run = ended["data"]
    assert run.reason is not None
    assert "its code, data, contract or settings are wrong (exit code 2)" in run.reason
    for told in ("column mean_texture: missing", "column mean_radius: the contract demands", "row 1 (-4.5)"):
        assert told in run.reason
    assert run.pods == 1
    statuses, (failure,), versions = recorded(deployed, OTHER, failing_runs.jobs["data"])
    assert (statuses, versions) == (["FAILED"], 0)
    assert "mean_texture" in failure


def test_a_secret_that_is_not_the_address_of_the_data_is_refused_by_its_name_and_without_a_part_of_it(
    ended: dict[str, Ended],
) -> None:
    run = ended["address"]
    assert run.reason is not None
    assert "(exit code 2)" in run.reason
    assert f"projects/{OTHER}/{OTHER_SECRET}" in run.reason
    assert "AccessDeniedException" in run.reason
    for part in (PLANTED, "half", "reader", "db.internal"):
        assert part not in run.reason + run.log


NEEDS_MEMORY = (
    "it needed more memory than it may have, 768Mi, and the kernel killed it: "
    "raise training.resources.memory in project.yaml (and quota.memory with it), or let it need less"
)


def test_a_run_that_needs_more_memory_than_it_may_have_says_so_and_which_setting_to_raise(
    deployed: DeployedProjects, failing_runs: FailingRuns, ended: dict[str, Ended]
) -> None:
    reason = ended["memory"].reason
    assert reason is not None
    assert NEEDS_MEMORY in reason
    assert recorded(deployed, OTHER, failing_runs.jobs["memory"]) == (["FAILED"], [NEEDS_MEMORY], 0)


def test_a_run_whose_conductor_was_killed_is_recorded_as_failed_once_runs_are_listed(
    deployed: DeployedProjects, failing_runs: FailingRuns
) -> None:
    with deployed.session(OTHER) as session:
        job = start_run(session, "abandoned", change=lambda spec: spec.update(backoffLimit=0))
        wait_for_line(session, job, "the data meets its contract")
        kill_run(deployed, job)
        reason = follow_run(session, job).reason
    assert reason is not None
    assert reason.startswith("it was killed from outside (SIGKILL) (exit code 137)")
    assert recorded(deployed, OTHER, job) == (["RUNNING"], [], 0)
    listed = json.loads(deployed.copy.mlp("runs", OTHER, "--env", STACK, "--json").stdout)
    (run,) = [each for each in listed if each["job"] == job]
    assert (run["status"], run["failure"]) == ("FAILED", reason)
    assert recorded(deployed, OTHER, job) == (["FAILED"], [reason], 0)


def test_a_run_beyond_its_deadline_is_ended_and_recorded_as_failed(
    deployed: DeployedProjects, failing_runs: FailingRuns, ended: dict[str, Ended]
) -> None:
    reason = ended["deadline"].reason
    assert reason is not None
    assert reason.startswith("it took longer than the 2 minutes that it may, and was ended; raise training.deadline")
    statuses, failures, versions = recorded(deployed, OTHER, failing_runs.jobs["deadline"])
    assert (statuses, len(failures), versions) == (["FAILED"], 1, 0)
    # By the process itself, or by `mlp runs` where that looked at the Job first.
    assert failures[0] in ("Ended: the pod was asked to end", reason)


def test_a_run_that_was_killed_while_it_recorded_is_tried_again_and_registers_one_version(
    deployed: DeployedProjects, later_runs: LaterRuns
) -> None:
    pods = deployed.pods(deployed.namespace_of(EXAMPLE), f"job-name={later_runs.killed}")
    assert len(pods) == 2
    (killed,) = [pod for pod in pods if pod["metadata"]["name"] == later_runs.killed_pod]
    (container,) = killed["status"]["containerStatuses"]
    assert container["state"]["terminated"]["exitCode"] == 137
    statuses, failures, versions = recorded(deployed, EXAMPLE, later_runs.killed)
    assert (statuses, failures, versions) == (["KILLED", "FINISHED"], [], 1)
