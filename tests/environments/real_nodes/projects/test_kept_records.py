"""Records that others rely on: a project's account cannot change them at its own model and experiment."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

from mlflow.exceptions import MlflowException

from ml_workloads.promotion.writers import alias_writes, gate_writer
from tests.environments.real_nodes.projects.conftest import FirstModel
from tests.environments.real_nodes.projects.deployed import DeployedProjects
from tests.environments.real_nodes.projects.sources import EXAMPLE, OTHER

FORBIDDEN = 403
MOVED = "moved-away"


def answer(call: Callable[[], object]) -> tuple[int, str]:
    """Return status and message of MLflow's rejection; the status is 200 where it accepts."""
    try:
        call()
    except MlflowException as error:
        return error.get_http_status_code(), str(error)
    return 200, ""


def test_a_projects_account_may_not_take_its_model_and_experiment_from_commands_and_servers(
    deployed: DeployedProjects, first_model: FirstModel
) -> None:
    with deployed.tracking(EXAMPLE) as client:
        experiment = client.get_experiment_by_name(EXAMPLE)
        assert experiment is not None
        known = client.get_registered_model(EXAMPLE)
        recorded = next(key for key in known.tags if key.startswith("move.production."))
        other = json.dumps({**json.loads(known.tags[recorded]), "by": "somebody else"})
        calls: dict[str, Callable[[], object]] = {
            "rename the model": lambda: client.rename_registered_model(EXAMPLE, MOVED),
            "delete the model": lambda: client.delete_registered_model(EXAMPLE),
            "delete the version that is served": lambda: client.delete_model_version(EXAMPLE, "1"),
            "take its alias away": lambda: client.delete_registered_model_alias(EXAMPLE, "production"),
            "rename the experiment": lambda: client.rename_experiment(experiment.experiment_id, MOVED),
            "delete the experiment": lambda: client.delete_experiment(experiment.experiment_id),
            "overwrite a move": lambda: client.set_registered_model_tag(EXAMPLE, recorded, other),
            "delete a move": lambda: client.delete_registered_model_tag(EXAMPLE, recorded),
            "leave the accounts that are kept": lambda: client.delete_registered_model_tag(EXAMPLE, "account"),
            "write who wrote an alias": lambda: client.set_model_version_tag(EXAMPLE, "1", "alias.production.1", "{}"),
            "make an experiment": lambda: client.create_experiment(OTHER + "-x"),
            "have another account removed": lambda: client.create_registered_model(OTHER + "-x", {"account": OTHER}),
        }
        said = {what: answer(call) for what, call in calls.items()}
        assert {what: status for what, (status, _) in said.items()} == dict.fromkeys(calls, FORBIDDEN)
        assert [what for what, (_, words) in said.items() if "only MLflow's administrator" not in words] == []
        after = client.get_registered_model(EXAMPLE)
        assert (after.tags, after.aliases) == (known.tags, known.aliases)


def test_every_move_says_who_was_signed_in_and_the_server_has_recorded_the_same(
    deployed: DeployedProjects, first_model: FirstModel
) -> None:
    for done in (first_model.staging, first_model.production):
        assert done["move"]["account"] == EXAMPLE
    with deployed.tracking(EXAMPLE) as client:
        tags = client.get_model_version(EXAMPLE, "1").tags
        assert gate_writer(tags) == EXAMPLE
        writes = [each for each in alias_writes("1", tags) if each.alias == "production"]
        assert (writes[0].account, writes[0].before) == (EXAMPLE, None)
        forged = json.dumps({**first_model.production["move"], "account": OTHER})
        status, words = answer(
            lambda: client.set_registered_model_tag(EXAMPLE, "move.production.20991231T000000.000000Z", forged)
        )
        assert status == FORBIDDEN
        assert f"its `account` must be '{EXAMPLE}', the account that is signed in" in words


def test_servers_sign_in_as_an_account_that_writes_nothing(deployed: DeployedProjects, first_model: FirstModel) -> None:
    """The test uses the same secret that the pods read."""
    (pod, *_) = deployed.pods(deployed.namespace_of(EXAMPLE), "app.kubernetes.io/name=serving")
    (container,) = pod["spec"]["containers"]
    arn = next(each["value"] for each in container["env"] if each["name"] == "TRACKING_ACCOUNT")
    with deployed.tracking(EXAMPLE) as client:
        held = json.loads(deployed.secret(arn))
        # Named, it would read the account of people once more for each request.
        os.environ.pop("MLFLOW_TRACKING_AUTH", None)
        os.environ["MLFLOW_TRACKING_USERNAME"] = held["username"]
        os.environ["MLFLOW_TRACKING_PASSWORD"] = held["password"]
        assert client.get_model_version_by_alias(EXAMPLE, "production").version == "1"
        calls: list[Callable[[], object]] = [
            lambda: client.set_registered_model_alias(EXAMPLE, "production", "1"),
            lambda: client.set_model_version_tag(EXAMPLE, "1", "gate", "passed"),
            lambda: client.create_run(str(client.get_run(first_model.trained["run"]["run_id"]).info.experiment_id)),
        ]
        for call in calls:
            status, words = answer(call)
            assert (status, f"{EXAMPLE}.serving is the account of the servers" in words) == (FORBIDDEN, True)


def test_the_administrator_may(deployed: DeployedProjects) -> None:
    with deployed.administration() as client:
        client.create_registered_model("scratch")
        client.rename_registered_model("scratch", MOVED)
        assert client.get_registered_model(MOVED).name == MOVED
        client.delete_registered_model(MOVED)
        experiment = client.get_experiment_by_name(OTHER)
        assert experiment is not None
        client.delete_experiment(experiment.experiment_id)
        client.restore_experiment(experiment.experiment_id)
    with deployed.tracking(OTHER) as client:
        assert client.get_registered_model(OTHER).name == OTHER
        assert client.get_experiment(experiment.experiment_id).lifecycle_stage == "active"
