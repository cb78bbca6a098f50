"""Conversion of an object between program, API server and state."""

from __future__ import annotations

from mlp_sandbox.providers.kubernetes.kinds import Kind
from mlp_sandbox.providers.kubernetes.objects import (
    as_inputs,
    from_server,
    previewed_create,
    previewed_update,
    readable,
    to_server,
)
from mlp_sandbox.providers.values import UNKNOWN

SERVICE, SECRET = Kind("", "v1", "Service"), Kind("", "v1", "Secret")
LIVE = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {
        "name": "a",
        "namespace": "n",
        "uid": "1",
        "resourceVersion": "5",
        "generation": 1,
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "managedFields": [{"manager": "kubectl"}],
        "annotations": {"note": "x", "kubectl.kubernetes.io/last-applied-configuration": "planted"},
    },
    "data": {"a": "1"},
    "status": {"phase": "x"},
}


def test_what_only_the_api_server_sets_is_not_sent() -> None:
    metadata = {"name": "a", "uid": "1", "resourceVersion": "5", "managedFields": []}
    sent = to_server(Kind("", "v1", "Pod"), {"metadata": metadata, "status": {}, "__fieldManager": "m", "spec": {}})
    assert sent == {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {}}


def test_pythons_names_of_schema_fields_become_the_apis_and_back() -> None:
    schema = {"x_kubernetes_preserve_unknown_fields": True, "properties": {"a": {"x_kubernetes_int_or_string": True}}}
    sent = to_server(Kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition"), {"metadata": {}, "spec": schema})
    assert sent["spec"] == {
        "x-kubernetes-preserve-unknown-fields": True,
        "properties": {"a": {"x-kubernetes-int-or-string": True}},
    }
    assert from_server(sent)["spec"] == schema


def test_the_state_has_the_live_object_without_the_managers_and_kubectls_copy() -> None:
    kept = from_server(LIVE)
    assert "managedFields" not in kept["metadata"]
    assert kept["metadata"]["annotations"] == {"note": "x"}
    assert kept["metadata"]["uid"] == "1"
    assert kept["status"] == {"phase": "x"}
    assert "managedFields" in LIVE["metadata"]


def test_the_inputs_of_an_import_are_what_a_program_would_say() -> None:
    assert as_inputs(LIVE) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a", "namespace": "n", "annotations": {"note": "x"}},
        "data": {"a": "1"},
    }


def test_a_preview_does_not_know_what_the_api_server_will_choose() -> None:
    inputs = {"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}, {"port": 81, "nodePort": 30001}]}}
    tried = {
        "metadata": {"name": "web", "uid": "1"},
        "spec": {
            "clusterIP": "10.0.0.1",
            "clusterIPs": ["10.0.0.1"],
            "sessionAffinity": "None",
            "ports": [{"port": 80, "nodePort": 30007}, {"port": 81, "nodePort": 30001}],
        },
    }
    state = previewed_create(SERVICE, inputs, tried)
    assert state["spec"] == {
        "clusterIP": UNKNOWN,
        "clusterIPs": UNKNOWN,
        "sessionAffinity": "None",
        "ports": [{"port": 80, "nodePort": UNKNOWN}, {"port": 81, "nodePort": 30001}],
    }
    assert state["metadata"]["uid"] is UNKNOWN
    assert state["status"] is UNKNOWN


def test_a_preview_without_the_cluster_has_the_inputs_and_the_rest_unknown() -> None:
    state = previewed_create(SERVICE, {"metadata": {"name": "web"}, "spec": {"type": UNKNOWN}}, None)
    assert state["spec"] == {"type": UNKNOWN}
    assert state["metadata"]["name"] == "web"
    assert previewed_create(SERVICE, {"metadata": UNKNOWN}, None)["metadata"] is UNKNOWN


def test_a_previewed_update_keeps_what_there_is() -> None:
    old = {"metadata": {"name": "a", "uid": "1"}, "data": {"a": "1"}, "status": {"phase": "x"}}
    new = previewed_update({"metadata": {"name": "a"}, "data": {"a": "2"}}, old, None)
    assert new["data"] == {"a": "2"}
    assert new["metadata"]["uid"] == "1"
    assert new["metadata"]["resourceVersion"] is UNKNOWN
    assert new["status"] == {"phase": "x"}


def test_a_secret_given_as_text_is_read_as_text() -> None:
    live = {"data": {"a": "Z2VoZWlt", "b": "b3RoZXI="}}
    assert readable(SECRET, live, {"stringData": {"a": "x"}})["stringData"] == {"a": "geheim"}
    assert readable(SECRET, live, {"data": {}}) == live
