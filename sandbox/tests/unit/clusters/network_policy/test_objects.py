"""Only fields that affect traffic are read; changes of other fields do not count as changes."""

from typing import Any

import pytest

from mlp_sandbox.clusters.network_policy.objects import NamedPort, Namespace, Pod, Policy, Service, ServicePort

POD: dict[str, Any] = {
    "metadata": {"namespace": "a", "name": "p", "labels": {"app": "x"}, "resourceVersion": "7"},
    "spec": {
        "nodeName": "one",
        "containers": [{"name": "c", "ports": [{"containerPort": 80, "name": "http", "protocol": "TCP"}]}],
    },
    "status": {"phase": "Running", "podIP": "100.64.1.2"},
}


def test_a_pod_is_what_its_peers_meet():
    assert Pod.read(POD) == Pod(
        namespace="a",
        name="p",
        address="100.64.1.2",
        labels={"app": "x"},
        node="one",
        ports=(NamedPort(name="http", number=80, protocol="TCP"),),
    )


def test_what_else_changes_of_a_pod_is_no_change():
    later = {**POD, "metadata": {**POD["metadata"], "resourceVersion": "8", "annotations": {"a": "b"}}}
    assert Pod.read(later) == Pod.read(POD)


@pytest.mark.parametrize(
    "status",
    [{}, {"podIP": ""}, {"podIP": "fd00::2"}]
    + [{"podIP": "100.64.1.2", "phase": phase} for phase in ("Succeeded", "Failed")],
)
def test_a_pod_without_an_address_or_at_its_end_is_nobodys_peer(status: dict[str, str]):
    assert Pod.read({**POD, "status": status}) is None


def test_a_pod_whose_status_is_not_written_yet_is_none():
    assert Pod.read({key: POD[key] for key in ("metadata", "spec")}) is None


def test_a_service_has_its_ports_and_where_they_lead():
    ports = [{"port": 80, "targetPort": "http", "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}]
    raw = {"metadata": {"namespace": "a", "name": "s"}, "spec": {"clusterIP": "172.20.0.9", "ports": ports}}
    assert Service.read(raw) == Service(
        namespace="a",
        address="172.20.0.9",
        selector={},
        ports=(
            ServicePort(number=80, target="http", protocol="TCP"),
            ServicePort(number=53, target=53, protocol="UDP"),
        ),
    )


@pytest.mark.parametrize("spec", [{"clusterIP": "None"}, {"type": "ExternalName"}, {"clusterIP": "fd00::9"}])
def test_a_service_without_an_address_of_its_own_stands_for_nothing(spec: dict[str, Any]):
    assert Service.read({"metadata": {"namespace": "a", "name": "s"}, "spec": spec}) is None


def test_namespaces_and_policies_may_be_bare():
    assert Namespace.read({"metadata": {"name": "a"}}) == Namespace(name="a", labels={})
    assert Policy.read({"metadata": {"namespace": "a", "name": "p"}}) == Policy(namespace="a", name="p", spec={})
