"""Projects within the whole program: their locations, and the traffic that they and the platform's services allow."""

import json
import re

import pytest

from ml_workloads.project import Project, find_projects
from ml_workloads.project.image import RUNTIME_IMAGE, project_image
from mlp_sandbox.clusters.network_policy.objects import Content, NamedPort, Namespace, Policy
from mlp_sandbox.clusters.network_policy.objects import Pod as Peer
from mlp_sandbox.clusters.network_policy.rules import PodRules, rules_of
from platform_services.namespaces import ML_PLATFORM
from sandbox.tests.unit.clusters.network_policy.content import passes
from tests.contract.manifests import Pod, objects, of_kind, pods
from tests.contract.pod_security import containers
from tests.contract.programs import ROOT, Program

PROJECTS = find_projects(ROOT / "ml_workloads" / "projects")
MLFLOW_PORT, SERVING_PORT, WORKER_PORT = 5000, 8080, 8081


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


def part(pod: Pod) -> str:
    """Return the part of a run, or `serving`: the pod label that network policies select."""
    return pod.labels["app.kubernetes.io/name"]


def test_a_run_is_conducted_by_one_pod_and_the_projects_code_is_in_two_others(environment: Program):
    for project in deployed(environment):
        parts = sorted(part(pod) for pod in of_project(environment, project))
        assert parts == sorted(["conductor", "fit", "worker", *(["serving"] if project.serving.online else [])])


def test_pods_run_the_image_of_the_sources_that_are_here(environment: Program):
    for project in deployed(environment):
        own = f"projects/{project.name}:{project_image(project).tag(ROOT)}"
        runtime = f"runtime:{RUNTIME_IMAGE.tag(ROOT)}"
        for pod in of_project(environment, project):
            [container] = containers(pod.spec)
            image = runtime if part(pod) == "conductor" else own
            assert container["image"].endswith(f"/ml-platform-{environment.stack}/{image}")


def test_the_service_account_of_a_pod_is_its_part_and_only_conductors_have_its_token(environment: Program):
    for project in deployed(environment):
        for pod in of_project(environment, project):
            assert pod.spec["serviceAccountName"] == part(pod)
            assert pod.spec["automountServiceAccountToken"] is (part(pod) == "conductor"), pod.title


def test_workers_have_no_role_and_each_other_part_has_its_own(environment: Program):
    for project in deployed(environment):
        associated = sorted(
            each.inputs["serviceAccount"]
            for each in environment.of_type("aws:eks/podIdentityAssociation:PodIdentityAssociation")
            if each.inputs["namespace"] == project.namespace
        )
        assert associated == sorted(["conductor", "fit", *(["serving"] if project.serving.online else [])])


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
    return mlflow_of(environment)


def mlflow_of(environment: Program) -> Peer:
    [pod] = [each for each in pods(environment) if each.title == f"Deployment {ML_PLATFORM}/mlflow"]
    return peer(pod, "100.64.7.1", "mlflow")


def test_conductors_and_servers_reach_mlflow_and_pods_with_a_runs_code_do_not(environment: Program, mlflow: Peer):
    for project in deployed(environment):
        for pod in of_project(environment, project):
            mine = peer(pod, "100.64.7.2")
            reached = passes(rules(environment, mine, mlflow).egress, mlflow.address, MLFLOW_PORT)
            assert reached is (part(pod) in ("conductor", "serving")), pod.title
            assert passes(rules(environment, mlflow, mine).ingress, mine.address, MLFLOW_PORT), pod.title


def test_nobody_connects_to_pods_of_a_project_from_outside_its_namespace(environment: Program, mlflow: Peer):
    for project in deployed(environment):
        for pod in of_project(environment, project):
            ingress = rules(environment, peer(pod, "100.64.7.2"), mlflow).ingress
            ports = (80, 443, MLFLOW_PORT, SERVING_PORT, WORKER_PORT)
            assert not any(passes(ingress, mlflow.address, port) for port in ports)


def test_conductors_and_their_workers_let_each_other_through(environment: Program):
    for project in deployed(environment):
        found = {
            part(pod): peer(pod, f"100.64.7.{number}") for number, pod in enumerate(of_project(environment, project))
        }
        conductor, worker = found["conductor"], found["worker"]
        assert passes(rules(environment, conductor, worker).egress, worker.address, WORKER_PORT)
        assert passes(rules(environment, worker, *found.values()).ingress, conductor.address, WORKER_PORT)
        others = [each for name, each in found.items() if name not in ("conductor", "worker")]
        ingress = rules(environment, worker, *found.values()).ingress
        assert not any(passes(ingress, each.address, WORKER_PORT) for each in others)
        # Nothing leaves a worker, names to look up included.
        assert rules(environment, worker, *found.values(), mlflow_of(environment)).egress == ()


def test_whatever_runs_an_image_that_is_built_here_asks_for_it_first(environment: Program):
    host = "123456789012.dkr.ecr.us-east-1.amazonaws.com/"
    for pod in pods(environment):
        built = {each["image"] for each in containers(pod.spec) if each["image"].startswith(host)}
        assert set(pod.owner.before) == {f"{each.removeprefix(host)} is in ECR" for each in built}, pod.owner.name
    asking = [each.inputs["kind"] for each in objects(environment) if each.before]
    assert len(asking) == 5 + sum(3 + bool(each.serving.online) for each in deployed(environment))


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


def test_pods_that_serve_sign_in_at_mlflow_as_readers_and_nobody_else_does(environment: Program):
    """A role that names a reader's secret is for its project's serving, and names no other account."""
    named: dict[str, set[str]] = {}
    for each in environment.resources:
        if each.typ in ("aws:iam/rolePolicy:RolePolicy", "aws:iam/policy:Policy"):
            found = re.findall(r"mlflow-accounts-([a-z0-9-]+)-(password|serving)\b", str(each.inputs.get("policy")))
            named[each.name] = {f"{project} {kind}" for project, kind in found}
    here = deployed(environment)
    for project in here:
        readers = {name for name, secrets in named.items() if f"{project.name} serving" in secrets}
        served = {f"workloads-{project.name}-serving-identity-pod-policy"} if project.serving.online else set()
        assert readers == served
        assert all(named[name] == {f"{project.name} serving"} for name in readers)
    [job] = [each for each in of_kind(environment, "Job") if each.inputs["metadata"]["name"] == "mlflow-accounts"]
    [container] = job.inputs["spec"]["template"]["spec"]["containers"]
    kept = next(each["value"] for each in container["env"] if each["name"] == "PLATFORM_ACCOUNTS")
    assert set(json.loads(kept)) == {name for each in here for name in (each.name, f"{each.name}.serving")}
