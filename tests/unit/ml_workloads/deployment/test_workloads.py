"""All projects of an environment: those that name it, each in its own place, or none when one cannot run."""

import json
import re

import pulumi
import pytest

from tests.unit.ml_workloads.deployment.platforms import ACCOUNT_SECRET, L4, READER_SECRET, deployed, project, variables
from tests.unit.platform_services.clusters import pool


def test_only_projects_that_name_the_environment_are_deployed():
    made = deployed(project(), project(name="elsewhere", environments=["prod"]))
    assert [each.inputs["metadata"]["name"] for each in made.kinds("Namespace")] == ["growth-churn"]
    assert set(made.made.handles) == {"churn"}


def test_without_projects_there_are_only_the_accounts_to_take_the_last_one_away():
    made = deployed(project(environments=["prod"]))
    made_here = [each.name for each in made.cloud.resources if not each.typ.startswith("pulumi:")]
    assert made_here == ["workloads", "workloads-accounts"]
    assert made.made.exports == {"projects": {}}


def test_an_accelerator_without_a_pool_ends_the_program_with_what_to_do():
    told = (
        "project churn: training.accelerator: dev has no pool with 1 nvidia-h100 in a node; write one of "
        "aws-trainium (up to 1 in a node), nvidia-l4 (up to 1 in a node), add such a pool to the environment's "
        "settings, or take dev out of the project's environments"
    )
    wanted = project(training={"accelerator": {"type": "nvidia-h100"}})
    with pytest.raises(pulumi.RunError, match=f"^{re.escape(told)}$"):
        deployed(wanted, pools=(L4, pool("trainium", "trn1.2xlarge", "aws-trainium")))


def test_more_devices_than_any_node_has_end_the_program():
    wanted = project(training={"accelerator": {"type": "nvidia-l4", "count": 2}}, quota={"accelerators": 2})
    with pytest.raises(pulumi.RunError, match=r"no pool with 2 nvidia-l4 in a node; write one of nvidia-l4 \(up to 1 "):
        deployed(wanted)


def test_all_projects_that_cannot_run_are_told_at_once():
    with pytest.raises(pulumi.RunError, match=r"(?s)project churn: .*leave training.accelerator out.*project other: "):
        deployed(project(), project(name="other"), pools=())


def test_the_pool_of_another_environment_is_not_asked_for():
    deployed(project(environments=["prod"]), pools=())


def test_the_exports_say_where_a_project_is():
    made = deployed()
    image = made.pod("fit")["containers"][0]["image"]
    repository = "123456789012.dkr.ecr.us-east-1.amazonaws.com/ml-platform-dev/projects/churn"
    assert re.fullmatch(rf"{re.escape(repository)}:[0-9a-f]{{16}}", image)
    assert made.serving_pod["containers"][0]["image"] == image
    exported = made.made.handles["churn"].exports
    assert exported["namespace"] == "growth-churn"
    assert exported["address"] == "http://serving.growth-churn.svc.cluster.local"


def test_a_project_that_serves_nothing_has_no_address_and_nothing_of_serving():
    made = deployed(project(serving={"online": None}))
    assert made.made.handles["churn"].exports["address"] is None
    for kind in ("Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget"):
        assert made.kinds(kind) == []
    accounts = {each.inputs["metadata"]["name"] for each in made.kinds("ServiceAccount")}
    assert accounts == {"conductor", "fit", "worker"}
    assert {each.inputs["name"] for each in made.cloud.of_type("aws:iam/role:Role")} == {
        "ml-platform-dev-ml-churn-conductor",
        "ml-platform-dev-ml-churn-fit",
    }


def test_pods_come_after_account_role_limits_and_policies_and_go_before_them():
    made = deployed()
    before = {
        made.cloud.named("workloads-accounts-ready").urn,
        *(each.urn for each in made.kinds("NetworkPolicy")),
        made.kind("ResourceQuota").urn,
        made.kind("LimitRange").urn,
        made.kind("Namespace").urn,
    }
    for kind, name, identity in (
        ("CronJob", "training", "training-conductor"),
        ("CronJob", "fit", "training-fit"),
        ("Deployment", "serving", "serving-identity"),
    ):
        association = made.cloud.named(f"workloads-churn-{identity}-pod-association")
        assert before | {association.urn} <= set(made.kind(kind, name).depends_on), name
    assert before <= set(made.kind("CronJob", "worker").depends_on)


def test_a_run_can_start_once_its_conductor_may_and_there_is_what_it_makes_jobs_from():
    made = deployed()
    before = {
        *(made.kind("CronJob", part).urn for part in ("fit", "worker")),
        made.kind("RoleBinding", "conductor").urn,
        made.kind("ServiceAccount", "conductor").urn,
    }
    assert before <= set(made.kind("CronJob", "training").depends_on)


def test_an_image_is_asked_for_before_what_runs_it():
    made = deployed()
    asked = {each.inputs["metadata"]["name"]: each.before for each in made.cloud.resources if each.before}
    assert {name: len(hooks) for name, hooks in asked.items()} == dict.fromkeys(
        ("training", "fit", "worker", "serving"), 1
    )
    assert "/runtime:" in str(asked["training"])
    assert all("/projects/churn:" in str(asked[name]) for name in ("fit", "worker", "serving"))


def test_conductors_of_all_projects_run_one_image():
    made = deployed(project(), project(name="rent"))
    images = {
        each.inputs["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["image"]
        for each in made.kinds("CronJob")
        if each.inputs["metadata"]["name"] == "training"
    }
    assert len(images) == 1
    assert len(made.kinds("CronJob")) == 6


def test_everything_in_the_namespace_goes_before_it():
    made = deployed()
    namespace = made.kind("Namespace")
    inside = [each for each in made.cloud.resources if "namespace" in each.inputs.get("metadata", {})]
    assert len(inside) == 23
    assert {each.inputs["metadata"]["namespace"] for each in inside} == {"growth-churn"}
    assert [each.name for each in inside if namespace.urn not in each.depends_on] == []


@pytest.mark.parametrize("protect", [True, False])
def test_secrets_are_kept_as_the_environment_says(protect: bool):
    made = deployed(protect=protect)
    [secret] = made.cloud.of_type("aws:secretsmanager/secret:Secret")
    assert secret.inputs["name"] == "ml-platform-dev/projects/churn/warehouse"
    assert secret.inputs["recoveryWindowInDays"] == 0
    assert secret.protect is protect
    others = [each for each in made.cloud.resources if each.typ.startswith(("kubernetes:", "aws:iam", "aws:eks"))]
    assert [each.name for each in others if each.protect] == []


KEY_OF_SHOP = "arn:aws:mock:::workloads-churn-secrets-projects-churn-key-of-shop"


def test_no_object_holds_more_of_a_secret_than_its_arn():
    made = deployed(project(secrets=["warehouse", "key-of-shop"]))
    for part, secrets in {
        "conductor": {"TRACKING_ACCOUNT": ACCOUNT_SECRET},
        "fit": {"SECRET_KEY_OF_SHOP": KEY_OF_SHOP},
        "worker": {},
        "serving": {"TRACKING_ACCOUNT": READER_SECRET, "SECRET_KEY_OF_SHOP": KEY_OF_SHOP},
    }.items():
        values = variables(made.pod(part))
        named = {name: text for name, text in values.items() if name.startswith(("SECRET_", "TRACKING_"))}
        assert named == secrets, part
    assert made.kinds("Secret") == []


def test_names_of_the_longest_project_are_short_enough_for_iam():
    """The test covers existing environments; `test_quotas.py` covers names that are longer in the program."""
    longest = project(name="a" * 30, team="b" * 20, environments=["staging"])
    made = deployed(longest, environment="staging")
    names = [each.inputs["name"] for each in made.cloud.of_type("aws:iam/role:Role")]
    assert max(len(name) for name in names) <= 64
    assert len(made.kind("Namespace").inputs["metadata"]["name"]) <= 63


def test_what_somebody_changes_in_an_object_of_a_project_fails_no_deployment():
    """It covers each object but no pod template: an annotation there would restart pods."""
    made = deployed()
    objects = [each for each in made.cloud.resources if each.inputs.get("kind")]
    assert len(objects) > 10
    for each in objects:
        assert each.inputs["metadata"]["annotations"]["pulumi.com/patchForce"] == "true", each.name
    templates = [made.job(part)["template"] for part in ("conductor", "fit", "worker")]
    assert "pulumi.com" not in json.dumps([made.serving_pod, templates])
