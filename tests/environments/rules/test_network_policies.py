"""The program's NetworkPolicies let through what the platform's pods need, as the VPC CNI would enforce them."""

from ipaddress import IPv4Network

import pytest

from components.network.subnets import plan_subnets
from ml_workloads.deployment.arguments import PART_LABEL as NAME
from ml_workloads.project.deployment_names import CONDUCTOR, WORKER
from mlp_sandbox.clusters.network_policy.objects import Content, Namespace, Policy, Service, ServicePort
from mlp_sandbox.clusters.network_policy.objects import Pod as Peer
from mlp_sandbox.clusters.network_policy.rules import PodRules, rules_of
from mlp_sandbox.clusters.network_policy.ruleset import reaches_aws
from platform_services.namespaces import ACCELERATORS, ML_PLATFORM, SERVICES
from sandbox.tests.unit.clusters.network_policy.content import passes
from tests.contract.manifests import Pod, of_kind, pods
from tests.contract.programs import Program

API_SERVER, DNS_SERVICE, AWS, AGENT = "172.20.0.1", "172.20.0.10", "52.94.133.131", "169.254.170.23"
METADATA, CONNECTED, ANOTHER_POD = "169.254.169.254", "10.200.0.5", "100.64.9.2"
DNS = Peer(namespace="kube-system", name="coredns", address="100.64.9.9", labels={"k8s-app": "kube-dns"})
KUBE_DNS = Service(
    namespace="kube-system",
    address=DNS_SERVICE,
    selector=DNS.labels,
    ports=tuple(ServicePort(number=53, target=53, protocol=protocol) for protocol in ("UDP", "TCP")),
)


def rules(environment: Program, pod: Pod) -> PodRules:
    namespaces = [each.inputs["metadata"] for each in of_kind(environment, "Namespace")]
    content = Content(
        policies=[read for each in of_kind(environment, "NetworkPolicy") if (read := Policy.read(each.inputs))],
        pods=[DNS],
        namespaces=[
            *(Namespace(name=each["name"], labels=each.get("labels") or {}) for each in namespaces),
            Namespace(name="kube-system", labels={"kubernetes.io/metadata.name": "kube-system"}),
        ],
        services=[KUBE_DNS],
    )
    mine = Peer(namespace=pod.namespace, name="mine", address="100.64.9.1", labels=pod.labels)
    return rules_of(mine, content)


def of_namespace(environment: Program, *names: str) -> list[Pod]:
    found = [pod for pod in pods(environment) if pod.namespace in names]
    assert found
    return found


@pytest.mark.parametrize("address", ["100.64.9.2", "10.10.0.1", AWS])
def test_no_pod_of_the_platform_can_be_connected_to(environment: Program, address: str):
    for pod in of_namespace(environment, SERVICES, ACCELERATORS):
        assert not passes(rules(environment, pod).ingress, address, 443), pod.title


def test_the_autoscaler_reaches_the_api_server_aws_its_role_and_names(environment: Program):
    [pod] = [each for each in of_namespace(environment, SERVICES) if each.title.endswith("/cluster-autoscaler")]
    egress = rules(environment, pod).egress
    assert passes(egress, API_SERVER, 443)
    assert passes(egress, AWS, 443)
    assert passes(egress, AGENT, 80)
    assert passes(egress, DNS_SERVICE, 53, "UDP")
    assert passes(egress, DNS.address, 53)


def test_no_pod_of_the_platform_reaches_other_ports_and_device_plugins_look_up_no_names(environment: Program):
    for pod in of_namespace(environment, SERVICES, ACCELERATORS):
        egress = rules(environment, pod).egress
        assert not any(passes(egress, AWS, port) for port in (22, 80, 5432)), pod.title
        assert passes(egress, DNS_SERVICE, 53, "UDP") is (pod.namespace == SERVICES), pod.title


def addresses(environment: Program, kind: str) -> list[str]:
    """Return one address of each subnet of a kind."""
    network = environment.settings.network
    plan = plan_subnets(network.cidr, network.pod_cidr, network.zones)
    return [str(IPv4Network(getattr(zone, kind))[7]) for zone in plan]


def with_a_role(environment: Program) -> list[Pod]:
    """Return the pods of projects and of MLflow: those with an AWS role and without use of the Kubernetes API."""
    others = {SERVICES, ACCELERATORS}
    found = [pod for pod in pods(environment) if pod.namespace not in others and pod.labels[NAME] != WORKER]
    assert {ML_PLATFORM} <= {pod.namespace for pod in found}
    return found


def test_pods_with_a_role_reach_aws_on_the_internet_and_where_it_answers_in_the_vpc(environment: Program):
    inside = bool(environment.settings.network.interface_endpoints)
    for pod in with_a_role(environment):
        egress = rules(environment, pod).egress
        assert passes(egress, AWS, 443), pod.title
        assert reaches_aws(egress or ()), f"{pod.title} does not reach the emulated AWS"
        assert passes(egress, AGENT, 80), pod.title
        for address in addresses(environment, "private"):
            assert passes(egress, address, 443) is inside, pod.title


def test_pods_with_a_role_reach_no_pods_nor_other_networks_by_way_of_aws_and_conductors_alone_the_kubernetes_api(
    environment: Program,
):
    for pod in with_a_role(environment):
        egress = rules(environment, pod).egress
        for address in (API_SERVER, *addresses(environment, "intra")):
            assert passes(egress, address, 443) is (pod.labels[NAME] == CONDUCTOR), f"{pod.title}: {address}"
        for address in (ANOTHER_POD, CONNECTED, METADATA):
            assert not passes(egress, address, 443), f"{pod.title} reaches {address}"
        assert not passes(egress, METADATA, 80), pod.title
        assert not passes(egress, AWS, 80), pod.title


def test_what_works_with_the_kubernetes_api_reaches_it_and_device_plugins_nothing_else(environment: Program):
    for pod in of_namespace(environment, SERVICES, ACCELERATORS):
        egress = rules(environment, pod).egress
        asks = bool(pod.spec.get("serviceAccountName"))
        for address in (API_SERVER, *addresses(environment, "intra")):
            assert passes(egress, address, 443) is asks, pod.title
        assert passes(egress, AWS, 443) is (pod.namespace == SERVICES), pod.title
        assert not passes(egress, CONNECTED, 443), pod.title
