"""A project's training code tries to pass its own gate, read held-out data, and impersonate others."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from ml_workloads.project.deployment_names import CONDUCTOR, FIT
from ml_workloads.runtime import records
from tests.environments.real_nodes.projects.conftest import FirstModel
from tests.environments.real_nodes.projects.deployed import (
    DeployedProjects,
    Document,
    Ended,
    follow_run,
    start_run,
    version_of_job,
)
from tests.environments.real_nodes.projects.sources import OTHER

FORBIDDEN = 403
ALLOWED = {
    "log the gate's metric": "under a name of the project's",
    "say that the gate let it through": "under a name of the project's",
    "change the gate's code": "where no verdict is made",
    "leave another model": "which nobody reads",
}
"""What does not fail, and comes to nothing."""


@dataclass(frozen=True)
class Cheated:
    ended: Ended
    tried: dict[str, str]
    run: Any
    versions: list[Any]


@pytest.fixture(scope="module")
def cheated(deployed: DeployedProjects, first_model: FirstModel) -> Cheated:
    with deployed.session(OTHER) as session:
        job = start_run(session, "cheat")
        ended = follow_run(session, job)
    found = re.search(r"^\| tried: (.*)$", ended.log, re.MULTILINE)
    assert found, ended.log
    with deployed.tracking(OTHER) as client:
        runs, versions = version_of_job(client, OTHER, job)
    return Cheated(ended, json.loads(found[1]), runs[-1], versions)


def test_training_code_gets_none_of_what_it_tries_for(cheated: Cheated) -> None:
    assert len(cheated.tried) >= 15
    done = {what for what, said in cheated.tried.items() if said.startswith("done")}
    assert done == set(ALLOWED), cheated.tried


def test_the_verdict_is_made_of_what_was_measured_and_not_of_what_was_said(cheated: Cheated) -> None:
    (version,) = cheated.versions
    assert version.tags[records.GATE].startswith("f1 is ")
    assert "it must be at least 0.9" in version.tags[records.GATE]
    measured = cheated.run.data
    assert measured.metrics["f1"] < 0.9
    assert (measured.metrics["project.f1"], measured.tags["project.gate"]) == (1.0, "passed")
    assert records.GATE not in measured.tags


def test_no_alias_moved(deployed: DeployedProjects, cheated: Cheated) -> None:
    with deployed.tracking(OTHER) as client:
        assert client.get_registered_model(OTHER).aliases == {}


@dataclass(frozen=True)
class Conductor:
    """Caller with the token of a conductor's service account."""

    deployed: DeployedProjects
    namespace: str

    def create(self, name: str, body: Document) -> tuple[int, str]:
        """Create a Job; returns status and message of the API server."""
        account = f"/api/v1/namespaces/{self.namespace}/serviceaccounts/{CONDUCTOR}/token"
        made = self.deployed.api.create(account, {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"})
        answer = requests.post(
            f"{self.deployed.outputs['cluster_endpoint']}/apis/batch/v1/namespaces/{self.namespace}/jobs",
            json={**body, "metadata": {**body["metadata"], "name": name}},
            headers={"Authorization": f"Bearer {made['status']['token']}"},
            verify=str(self.deployed.folder.pki / "ca.crt"),
            timeout=30,
        )
        return answer.status_code, str(answer.json().get("message", ""))


def test_whoever_is_a_conductor_starts_no_job_of_its_own_choice(deployed: DeployedProjects, cheated: Cheated) -> None:
    namespace = deployed.namespace_of(OTHER)
    conductor = Conductor(deployed, namespace)
    found = deployed.api.get(f"/apis/batch/v1/namespaces/{namespace}/cronjobs/{FIT}")["spec"]["jobTemplate"]
    changes: dict[str, Any] = {
        "image": lambda pod: pod["containers"][0].update(image="public.ecr.aws/docker/library/python:3.11-slim"),
        "account": lambda pod: pod.update(serviceAccountName=CONDUCTOR),
        "command": lambda pod: pod["containers"][0].update(command=["sleep", "1"]),
        "variable": lambda pod: pod["containers"][0]["env"].append({"name": "A", "value": "1"}),
    }
    for what, change in changes.items():
        body: Document = copy.deepcopy(found)
        change(body["spec"]["template"]["spec"])
        status, said = conductor.create(f"own-{what}", body)
        assert (status, "with nothing changed" in said) == (FORBIDDEN, True), f"{what}: {said}"
    status, said = conductor.create(
        "own-labels", {**found, "metadata": {"labels": {"app.kubernetes.io/name": "serving"}}}
    )
    assert (status, "from the CronJobs fit and worker alone" in said) == (FORBIDDEN, True), said
    status, said = conductor.create("unchanged", found)
    assert status == requests.codes.created, said
    deployed.api.delete(f"/apis/batch/v1/namespaces/{namespace}/jobs/unchanged", {"propagationPolicy": "Background"})
