"""A project's namespace: its quota, and the network reach of its pods, as the VPC CNI would enforce it."""

from typing import Any, Literal

import pytest
from kubernetes.utils.quantity import parse_quantity

from ml_workloads.deployment.namespace import container_limits
from ml_workloads.project.project import QuotaSettings
from mlp_sandbox.clusters.network_policy.objects import Content, NamedPort, Namespace, Pod, Policy
from mlp_sandbox.clusters.network_policy.rules import PodRules, rules_of
from sandbox.tests.unit.clusters.network_policy.content import passes
from tests.unit.ml_workloads.deployment.platforms import Deployed, deployed, project

LOCAL = {"source": {"type": "local", "path": "a.csv"}}

MLFLOW = Pod(namespace="ml-platform", name="mlflow", address="100.64.5.1", labels={"app.kubernetes.io/name": "mlflow"})
OTHER_OF_PLATFORM = Pod(namespace="ml-platform", name="grafana", address="100.64.5.2", labels={"app": "grafana"})
IMPOSTOR = Pod(namespace="growth-other", name="mlflow", address="100.64.5.3", labels=dict(MLFLOW.labels))
DNS = Pod(namespace="kube-system", name="dns", address="100.64.5.4", labels={"k8s-app": "kube-dns"})
CLIENT = Pod(namespace="growth-churn", name="client", address="100.64.5.5", labels={"app": "client"})
RUN, FOREIGN_RUN = (
    {
        part: Pod(
            namespace=namespace,
            name=part,
            address=f"100.64.{subnet}.{number}",
            labels={"app.kubernetes.io/name": part},
            ports=(NamedPort(name="http", number=8081, protocol="TCP"),) if part == "worker" else (),
        )
        for number, part in enumerate(("conductor", "fit", "worker", "serving"), start=1)
    }
    for subnet, namespace in ((6, "growth-churn"), (7, "growth-other"))
)
AWS, AGENT, DATABASE = "52.94.133.131", "169.254.170.23", "10.10.7.7"


def test_the_namespace_is_restricted_and_says_whose_it_is():
    labels = deployed().kind("Namespace").inputs["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert labels["pod-security.kubernetes.io/enforce-version"] == "v1.36"
    assert (labels["ml-platform/team"], labels["ml-platform/project"]) == ("growth", "churn")


def test_the_quota_is_that_of_the_file():
    hard = deployed().kind("ResourceQuota").inputs["spec"]["hard"]
    assert hard["requests.cpu"] == "8"
    assert hard["requests.memory"] == hard["limits.memory"] == "16Gi"
    assert hard["requests.nvidia.com/gpu"] == hard["requests.aws.amazon.com/neuron"] == "1"


def test_a_project_without_accelerators_cannot_take_one():
    hard = deployed(project(quota={"accelerators": 0}, training={"accelerator": None})).kind("ResourceQuota").inputs
    assert hard["spec"]["hard"]["requests.nvidia.com/gpu"] == "0"


@pytest.mark.parametrize("what", ["services.loadbalancers", "services.nodeports", "persistentvolumeclaims"])
def test_a_project_makes_nothing_that_costs_apart_from_its_nodes(what: str):
    assert deployed().kind("ResourceQuota").inputs["spec"]["hard"][what] == "0"


@pytest.mark.parametrize("memory", ["128Mi", "16Gi", "1Ti"])
def test_what_a_pod_gets_that_asks_for_nothing_fits_the_quota(memory: str):
    limits: Any = container_limits(QuotaSettings(cpu="1", memory=memory))
    default, most = parse_quantity(limits["default"]["memory"]), parse_quantity(limits["max"]["memory"])
    assert parse_quantity(limits["default_request"]["memory"]) <= default <= most == parse_quantity(memory)
    # One of its own would limit every pod that does not say a limit.
    assert "cpu" not in limits["max"]
    assert set(limits["default_request"]) == {"cpu", "memory"}


def rules(made: Deployed, part: str) -> PodRules:
    template = made.kind("Deployment").inputs["spec"]["template"] if part == "serving" else made.job(part)["template"]
    names = ("growth-churn", "growth-other", "ml-platform", "kube-system")
    content = Content(
        policies=[read for each in made.kinds("NetworkPolicy") if (read := Policy.read(each.inputs))],
        pods=[MLFLOW, OTHER_OF_PLATFORM, IMPOSTOR, DNS, CLIENT, *RUN.values(), *FOREIGN_RUN.values()],
        namespaces=[Namespace(name=name, labels={"kubernetes.io/metadata.name": name}) for name in names],
        services=[],
    )
    mine = Pod(
        namespace="growth-churn",
        name="mine",
        address="100.64.5.9",
        labels=template["metadata"]["labels"],
        ports=(NamedPort(name="http", number=8081 if part == "worker" else 8080, protocol="TCP"),),
    )
    return rules_of(mine, content)


@pytest.mark.parametrize("part", ["conductor", "fit", "serving"])
def test_pods_reach_aws_their_role_and_names_and_mlflow_where_no_training_runs(part: str):
    egress = rules(deployed(), part).egress
    assert passes(egress, MLFLOW.address, 5000) is (part != "fit")
    assert passes(egress, AWS, 443)
    assert passes(egress, AGENT, 80)
    assert passes(egress, DNS.address, 53, "UDP")


PORTS = (53, 80, 443, 5000, 5432, 8080, 8081)


@pytest.mark.parametrize("protocol", ["TCP", "UDP"])
@pytest.mark.parametrize(
    "address",
    [
        *(MLFLOW.address, DNS.address, AWS, AGENT, DATABASE, CLIENT.address, "169.254.169.254"),
        *(each.address for each in RUN.values()),
    ],
)
def test_workers_reach_nobody(address: str, protocol: Literal["TCP", "UDP"]):
    """They cannot even resolve names: a DNS lookup can carry data out."""
    egress = rules(deployed(), "worker").egress
    assert not any(passes(egress, address, port, protocol) for port in PORTS)


def test_workers_are_asked_by_conductors_of_their_namespace_alone():
    ingress = rules(deployed(), "worker").ingress
    assert passes(ingress, RUN["conductor"].address, 8081)
    assert not passes(ingress, RUN["conductor"].address, 8080)
    others = [MLFLOW, CLIENT, RUN["fit"], RUN["worker"], RUN["serving"], *FOREIGN_RUN.values()]
    assert [each.name for each in others if passes(ingress, each.address, 8081)] == []
    assert not passes(ingress, "10.10.0.1", 8081)


def test_conductors_ask_workers_of_their_namespace_and_no_other_pod():
    egress = rules(deployed(), "conductor").egress
    assert passes(egress, RUN["worker"].address, 8081)
    others = [RUN["fit"], RUN["serving"], *FOREIGN_RUN.values()]
    assert [each.name for each in others if any(passes(egress, each.address, port) for port in (8080, 8081))] == []


@pytest.mark.parametrize("part", ["fit", "serving"])
def test_no_other_pod_asks_workers(part: str):
    assert not passes(rules(deployed(), part).egress, RUN["worker"].address, 8081)


@pytest.mark.parametrize("part", ["conductor", "fit", "serving"])
@pytest.mark.parametrize(
    ("address", "port"),
    [
        (MLFLOW.address, 9464),
        (OTHER_OF_PLATFORM.address, 5000),
        (IMPOSTOR.address, 5000),
        (CLIENT.address, 8080),
        (AWS, 80),
        (AWS, 22),
        ("169.254.169.254", 80),
        ("52.94.133.131", 5432),
    ],
)
def test_pods_reach_nothing_else(part: str, address: str, port: int):
    assert not passes(rules(deployed(), part).egress, address, port)


def test_a_database_is_reached_by_conductors_of_training_on_a_query_alone():
    made = deployed()
    assert passes(rules(made, "conductor").egress, DATABASE, 5432)
    assert not passes(rules(made, "conductor").egress, DATABASE, 3306)
    assert not any(passes(rules(made, part).egress, DATABASE, 5432) for part in ("fit", "worker", "serving"))


def test_training_on_anything_else_reaches_no_database():
    assert not passes(rules(deployed(project(data=LOCAL)), "conductor").egress, DATABASE, 5432)


def test_the_server_answers_its_own_namespace_on_its_port_only():
    """Pods of training runs are excluded: nobody has judged their code yet."""
    ingress = rules(deployed(), "serving").ingress
    assert passes(ingress, CLIENT.address, 8080)
    assert not any(passes(ingress, RUN[part].address, 8080) for part in ("fit", "worker"))
    assert not passes(ingress, CLIENT.address, 9000)
    assert not passes(ingress, IMPOSTOR.address, 8080)
    assert not passes(ingress, "10.10.0.1", 8080)


@pytest.mark.parametrize("part", ["conductor", "fit"])
def test_nobody_connects_to_a_run(part: str):
    ingress = rules(deployed(), part).ingress
    assert not any(passes(ingress, each.address, port) for each in (CLIENT, *RUN.values()) for port in (8080, 8081))


def test_all_other_pods_of_the_namespace_are_shut_off():
    [deny] = [each for each in deployed().kinds("NetworkPolicy") if each.inputs["metadata"]["name"] == "default-deny"]
    assert deny.inputs["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
