"""A project's account at its own model and experiment: what others rely on there stays with the administrator."""

from __future__ import annotations

from collections.abc import Callable

from mlflow.exceptions import MlflowException

from tests.sandbox.projects.conftest import FirstModel
from tests.sandbox.projects.deployed import DeployedProjects
from tests.sandbox.projects.sources import EXAMPLE, OTHER

FORBIDDEN = 403
MOVED = "moved-away"


def answer(call: Callable[[], object]) -> tuple[int, str]:
    """Return the status with which MLflow refused and its words, 200 where it did not refuse."""
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
        calls: dict[str, Callable[[], object]] = {
            "rename the model": lambda: client.rename_registered_model(EXAMPLE, MOVED),
            "delete the model": lambda: client.delete_registered_model(EXAMPLE),
            "delete the version that is served": lambda: client.delete_model_version(EXAMPLE, "1"),
            "take its alias away": lambda: client.delete_registered_model_alias(EXAMPLE, "production"),
            "rename the experiment": lambda: client.rename_experiment(experiment.experiment_id, MOVED),
            "delete the experiment": lambda: client.delete_experiment(experiment.experiment_id),
            "overwrite a move": lambda: client.set_registered_model_tag(EXAMPLE, recorded, "{}"),
            "delete a move": lambda: client.delete_registered_model_tag(EXAMPLE, recorded),
            "leave the accounts that are kept": lambda: client.delete_registered_model_tag(EXAMPLE, "account"),
            "have another account removed": lambda: client.create_registered_model(OTHER + "-x", {"account": OTHER}),
        }
        said = {what: answer(call) for what, call in calls.items()}
        assert {what: status for what, (status, _) in said.items()} == dict.fromkeys(calls, FORBIDDEN)
        assert [what for what, (_, words) in said.items() if "only MLflow's administrator" not in words] == []
        after = client.get_registered_model(EXAMPLE)
        assert (after.tags, after.aliases) == (known.tags, known.aliases)


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
