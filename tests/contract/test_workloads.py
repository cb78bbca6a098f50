"""Projects within the whole program: where they are deployed, and what they and the platform's services let through."""

import pytest

from ml_workloads.project import Project, find_projects
from ml_workloads.project.image import project_image
from platform_services.namespaces import ML_PLATFORM
from sandbox.cluster.policies.objects import Content, NamedPort, Namespace, Policy
from sandbox.cluster.policies.objects import Pod as Peer
from sandbox.cluster.policies.rules import PodRules, rules_of
from tests.contract.manifests import Pod, objects, of_kind, pods
from tests.contract.pod_security import containers
from tests.contract.programs import ROOT, Program
from tests.unit.sandbox.cluster.policies.content import passes

PROJECTS = find_projects(ROOT / "ml_workloads" / "projects")
MLFLOW_PORT, SERVING_PORT = 5000, 8080


def deployed(environment: Program) -> list[Project]:
    return [project for project in PROJECTS if environment.stack in project.environments]


def of_project(environment: Program, project: Project) -> list[Pod]:
    found = [pod for pod in pods(environment) if pod.namespace == project.namespace]
    assert {pod.owner.inputs["kind"] for pod in found} == {
        "CronJob",
        *(["Deployment"] if project.serving.online else []),
    }
    return found


def test_exactly_the_projects_that_name_an_environment_are_in_it(environment: Program):
    workloads = [each.name for each in environment.of_type("mlops:index:ProjectWorkload")]
    assert workloads == [f"workloads-{project.name}" for project in deployed(environment)]


def test_pods_run_the_image_of_the_sources_that_are_here(environment: Program):
    for project in deployed(environment):
        tag = project_image(project).tag(ROOT)
        for pod in of_project(environment, project):
            [container] = containers(pod.spec)
            assert container["image"].endswith(f"/ml-platform-{environment.stack}/projects/{project.name}:{tag}")


def peer(pod: Pod, address: str, name: str = "mine") -> Peer:
    ports = [each for container in containers(pod.spec) for each in container.get("ports") or []]
    named = tuple(NamedPort(name=each["name"], number=each["containerPort"], protocol="TCP") for each in ports)
    return Peer(namespace=pod.namespace, name=name, address=address, labels=pod.labels, ports=named)


def rules(environment: Program, subject: Peer, *others: Peer) -> PodRules:
    namespaces = [each.inputs["metadata"] for each in of_kind(environment, "Namespace")]
    content = Content(
        policies=[read for each in of_kind(environment, "NetworkPolicy") if (read := Policy.read(each.inputs))],
        pods=list(others),
        namespaces=[
            Namespace(
                name=each["name"],
                labels={"kubernetes.io/metadata.name": each["name"], **(each.get("labels") or {})},
            )
            for each in namespaces
        ],
        services=[],
    )
    return rules_of(subject, content)


@pytest.fixture
def mlflow(environment: Program) -> Peer:
    [pod] = [each for each in pods(environment) if each.title == f"Deployment {ML_PLATFORM}/mlflow"]
    return peer(pod, "100.64.7.1", "mlflow")


def test_pods_of_projects_and_mlflow_let_each_other_through(environment: Program, mlflow: Peer):
    for project in deployed(environment):
        for pod in of_project(environment, project):
            mine = peer(pod, "100.64.7.2")
            assert passes(rules(environment, mine, mlflow).egress, mlflow.address, MLFLOW_PORT), pod.title
            assert passes(rules(environment, mlflow, mine).ingress, mine.address, MLFLOW_PORT), pod.title


def test_nobody_connects_to_pods_of_a_project_from_outside_its_namespace(environment: Program, mlflow: Peer):
    for project in deployed(environment):
        for pod in of_project(environment, project):
            ingress = rules(environment, peer(pod, "100.64.7.2"), mlflow).ingress
            assert not any(passes(ingress, mlflow.address, port) for port in (80, 443, MLFLOW_PORT, SERVING_PORT))


def test_whatever_runs_an_image_that_is_built_here_asks_for_it_first(environment: Program):
    host = "123456789012.dkr.ecr.us-east-1.amazonaws.com/"
    for pod in pods(environment):
        built = {each["image"] for each in containers(pod.spec) if each["image"].startswith(host)}
        assert set(pod.owner.before) == {f"{each.removeprefix(host)} is in ECR" for each in built}, pod.owner.name
    asking = [each.inputs["kind"] for each in objects(environment) if each.before]
    assert len(asking) == 3 + sum(1 + bool(each.serving.online) for each in deployed(environment))


def test_nothing_waits_for_addresses_of_replicas_that_failed(environment: Program):
    deployments = {
        (each.inputs["metadata"]["namespace"], each.inputs["metadata"]["name"]): each.urn
        for each in of_kind(environment, "Deployment")
    }
    services = [each for each in of_kind(environment, "Service") if each.inputs["spec"].get("selector")]
    assert len(services) >= 1 + sum(bool(each.serving.online) for each in deployed(environment))
    for each in services:
        metadata = each.inputs["metadata"]
        assert deployments[metadata["namespace"], metadata["name"]] in each.depends_on, each.name


def test_jobs_that_failed_are_made_again_by_the_next_deployment(environment: Program):
    jobs = of_kind(environment, "Job")
    assert {each.inputs["metadata"]["name"] for each in jobs} == {"mlflow-set-up", "mlflow-accounts"}
    for each in jobs:
        assert each.inputs["metadata"]["annotations"] == {"pulumi.com/replaceUnready": "true"}
