"""Promotions: a worse version is rejected, two at once move the alias once, and a rollback is quick."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from mlp.projects.port_forward import PortForward
from mlp_sandbox.testing.box import eventually
from tests.environments.real_nodes.deployed import STACK
from tests.environments.real_nodes.projects.conftest import LaterRuns
from tests.environments.real_nodes.projects.deployed import DeployedProjects, row, version_of_job
from tests.environments.real_nodes.projects.load import load
from tests.environments.real_nodes.projects.sources import EXAMPLE

FOLLOWED_WITHIN_SECONDS = 30


def aliases(deployed: DeployedProjects) -> dict[str, str]:
    with deployed.tracking(EXAMPLE) as client:
        found = dict(client.get_registered_model(EXAMPLE).aliases)
    return {alias: str(version) for alias, version in found.items()}


def moves(deployed: DeployedProjects, alias: str) -> list[tuple[str, str]]:
    """Return kinds and versions of the alias's moves, last first."""
    found = deployed.mlp("models", EXAMPLE, "--history")
    assert found["notes"] == []
    return [(move["kind"], move["version"]) for move in found["moves"] if move["alias"] == alias]


def followed(deployed: DeployedProjects, forward: PortForward, version: str) -> float:
    """Return the seconds until the version answers."""
    began = time.monotonic()
    eventually(lambda: deployed.version_of(forward) == version, f"version {version} answers", 60)
    return time.monotonic() - began


@pytest.fixture(scope="module")
def better(deployed: DeployedProjects, later_runs: LaterRuns) -> str:
    """Return the last version that passed training's gate."""
    found = aliases(deployed)
    assert found["dev"] != found["production"] == "1"
    return found["dev"]


def test_a_worse_model_is_refused_with_numbers_by_training_and_at_promotion(
    deployed: DeployedProjects, later_runs: LaterRuns
) -> None:
    before = aliases(deployed)
    with deployed.tracking(EXAMPLE) as client:
        (run,), (version,) = version_of_job(client, EXAMPLE, later_runs.weak)
        incumbent = client.get_run(str(client.get_model_version(EXAMPLE, before["staging"]).run_id)).data.metrics["f1"]
    number = run.data.metrics["f1"]
    bound = f"f1 is {number:.4g}, it must be at least 0.9"
    worse = f"f1 is {number:.4g}, {incumbent - number:.4g} worse than {incumbent:.4g} of the model that is there"
    assert bound in version.tags["gate"]
    assert worse in version.tags["gate"]
    said = deployed.refused("promote", EXAMPLE, "--to", "staging", "--version", version.version)
    assert f"version {version.version} of {EXAMPLE} was not promoted to staging" in said
    assert bound in said
    assert f"{worse}; 0.01 is allowed" in said
    assert "does not have the alias staging" in deployed.refused(
        "promote", EXAMPLE, "--to", "production", "--version", version.version
    )
    assert aliases(deployed) == before


def test_of_two_promotions_at_once_one_moves_the_alias_and_the_record_has_it_once(
    deployed: DeployedProjects, better: str
) -> None:
    copy = deployed.copy
    command = copy.mlp_command("promote", EXAMPLE, "--to", "staging", "--env", STACK, "--json")
    both = [deployed.box.start("env", f"PYTHONPATH={copy.folder}", *command, cwd=copy.folder) for _ in range(2)]
    said = [process.communicate(timeout=300)[0] for process in both]
    moved: list[bool] = []
    for process, text in zip(both, said, strict=True):
        if process.returncode:
            assert "another promotion is under way" in text
            moved.append(False)
        else:
            document: Any = json.loads(text[text.index("{\n") :])
            assert (document["version"], document["already"]) == (better, not document["moved"])
            moved.append(document["moved"])
    assert sorted(moved) == [False, True], said
    assert aliases(deployed)["staging"] == better
    assert moves(deployed, "staging") == [("promote", better), ("promote", "1")]


def test_servers_follow_a_promotion_and_a_rollback_within_30_seconds_and_no_request_fails(
    deployed: DeployedProjects, better: str
) -> None:
    document = {"instances": [row(deployed.copy.folder)] * 3}
    with deployed.server(EXAMPLE) as forward, load(forward, document) as made:
        eventually(lambda: made.answered > 5, "the load is under way", 60)
        assert deployed.mlp("promote", EXAMPLE, "--to", "production")["moved"]
        assert followed(deployed, forward, better) < FOLLOWED_WITHIN_SECONDS
        assert deployed.mlp("rollback", EXAMPLE)["version"] == "1"
        assert followed(deployed, forward, "1") < FOLLOWED_WITHIN_SECONDS
    assert made.failures == []
    assert set(made.versions) == {"1", better}
    assert moves(deployed, "production") == [("rollback", "1"), ("promote", better), ("promote", "1")]


def test_with_nothing_left_to_go_back_to_a_rollback_is_refused(deployed: DeployedProjects, better: str) -> None:
    said = deployed.refused("rollback", EXAMPLE)
    assert "there is nothing to go back to: production names version 1" in said
    assert aliases(deployed)["production"] == "1"
