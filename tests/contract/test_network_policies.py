"""What the platform's pods need gets through the program's NetworkPolicies, as the VPC CNI would enforce them."""

import pytest

from platform_services.namespaces import ACCELERATORS, SERVICES
from sandbox.cluster.policies.objects import Content, Namespace, Policy, Service, ServicePort
from sandbox.cluster.policies.objects import Pod as Peer
from sandbox.cluster.policies.rules import PodRules, rules_of
from tests.contract.manifests import Pod, of_kind, pods
from tests.contract.programs import Program
from tests.unit.sandbox.cluster.policies.content import passes

API_SERVER, DNS_SERVICE, AWS, AGENT = "172.20.0.1", "172.20.0.10", "52.94.133.131", "169.254.170.23"
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
