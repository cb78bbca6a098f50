"""Detection of changes, of changes that replace an object, and of drift."""

from __future__ import annotations

from typing import Any

import pytest

from mlp_sandbox.providers.kubernetes.compare import differences
from mlp_sandbox.providers.kubernetes.kinds import Kind
from mlp_sandbox.providers.kubernetes.managed import all_fields, is_managed_by, live_inputs, others_of
from mlp_sandbox.providers.kubernetes.paths import parsed, value_at, with_value, written
from mlp_sandbox.providers.kubernetes.replacement import (
    blamed,
    is_immutable_refusal,
    replaced_by,
    same_place,
    unready_job,
)
from mlp_sandbox.providers.values import UNKNOWN

DEPLOYMENT, CONFIG_MAP = Kind("apps", "v1", "Deployment"), Kind("", "v1", "ConfigMap")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("spec", "ports", 0, "port"), "spec.ports[0].port"),
        (("metadata", "labels", "a.b/c"), 'metadata.labels["a.b/c"]'),
        (("data", 'x"y.z'), 'data["x\\"y.z"]'),
    ],
)
def test_a_place_is_written_as_pulumi_writes_it_and_read_back(path: Any, text: str) -> None:
    assert written(path) == text
    assert parsed(text) == path


def test_a_value_is_found_replaced_and_taken_away_by_its_place() -> None:
    obj = {"spec": {"ports": [{"port": 80}, {"port": 443}]}}
    path = ("spec", "ports", 1, "port")
    assert value_at(obj, path) == 443
    assert value_at(obj, ("spec", "ports", 2)) is None
    assert with_value(obj, path, 8443)["spec"]["ports"][1] == {"port": 8443}
    assert with_value(obj, path, None)["spec"]["ports"][1] == {}
    assert with_value(obj, ("spec", "nothing", "here"), 1) == obj
    assert obj["spec"]["ports"][1] == {"port": 443}


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, [("a.b", "update")]),
        ({"a": 1}, {"a": 1, "b": {"c": 1}}, [("b", "add")]),
        ({"a": 1, "b": 2}, {"a": 1}, [("b", "delete")]),
        ({"l": [1, 2]}, {"l": [1, 3, 4]}, [("l[1]", "update"), ("l[2]", "add")]),
        ({"l": [1, 2]}, {"l": [1]}, [("l[1]", "delete")]),
        ({"a": True}, {"a": 1}, [("a", "update")]),
        ({"a": UNKNOWN}, {"a": UNKNOWN}, [("a", "update")]),
        ({}, {"rules": []}, []),
        ({}, {"podSelector": {}}, [("podSelector", "add")]),
        ({"requests": {"cpu": "1000m", "memory": "1Gi"}}, {"requests": {"cpu": 1, "memory": "1024Mi"}}, []),
        ({"requests": {"cpu": "1"}}, {"requests": {"cpu": "2"}}, [("requests.cpu", "update")]),
        ({"labels": {"version": "1.0"}}, {"labels": {"version": "1"}}, [("labels.version", "update")]),
    ],
)
def test_these_places_differ(old: Any, new: Any, found: list[tuple[str, str]]) -> None:
    assert sorted((written(path), how) for path, how in differences(old, new)) == found


@pytest.mark.parametrize(
    ("kind", "path", "replaced"),
    [
        (DEPLOYMENT, "spec.selector.matchLabels.app", True),
        (DEPLOYMENT, "spec.replicas", False),
        (DEPLOYMENT, "metadata.name", True),
        (DEPLOYMENT, "metadata.namespace", True),
        (DEPLOYMENT, "metadata.labels.app", False),
        (Kind("apps", "v1", "StatefulSet"), "spec.volumeClaimTemplates[0].spec.storageClassName", True),
        (Kind("batch", "v1", "Job"), "spec.template.spec.containers[0].image", True),
        (Kind("batch", "v1", "CronJob"), "spec.jobTemplate.spec.template", False),
        (Kind("", "v1", "Service"), "spec.clusterIP", True),
        (Kind("", "v1", "Service"), "spec.type", False),
        (Kind("", "v1", "PersistentVolumeClaim"), "spec.storageClassName", True),
        (Kind("", "v1", "PersistentVolumeClaim"), "spec.resources.requests.storage", False),
        (Kind("storage.k8s.io", "v1", "StorageClass"), "parameters.type", True),
        (Kind("storage.k8s.io", "v1", "StorageClass"), "allowVolumeExpansion", False),
        (Kind("rbac.authorization.k8s.io", "v1", "RoleBinding"), "roleRef.name", True),
        (Kind("rbac.authorization.k8s.io", "v1", "RoleBinding"), "subjects[0].name", False),
        (Kind("scheduling.k8s.io", "v1", "PriorityClass"), "value", True),
        (CONFIG_MAP, "data.a", True),
        (Kind("", "v1", "Secret"), "stringData", True),
        (Kind("", "v1", "Secret"), "type", True),
        (Kind("example.com", "v1", "Deployment"), "spec.selector", False),
    ],
)
def test_these_changes_make_a_new_object(kind: Kind, path: str, replaced: bool) -> None:
    assert replaced_by(kind, {}, parsed(path)) is replaced


def test_content_may_change_in_place_where_the_provider_is_told_so_but_not_of_immutable_ones() -> None:
    mutable = frozenset({"ConfigMap", "Secret"})
    assert not replaced_by(CONFIG_MAP, {}, ("data", "a"), mutable=mutable)
    assert replaced_by(CONFIG_MAP, {"immutable": True}, ("data", "a"), mutable=mutable)
    assert replaced_by(Kind("", "v1", "Secret"), {}, ("type",), mutable=mutable)


@pytest.mark.parametrize(
    "message",
    [
        "Invalid value: x: field is immutable",
        "Forbidden: may not be changed in an update.",
        "Forbidden: updates to parameters are forbidden.",
        "cannot change roleRef",
        "Forbidden: updates to statefulset spec for fields other than 'replicas' are forbidden",
        "Forbidden: spec is immutable after creation except resources.requests",
        "Invalid value: may not be updated",
    ],
)
def test_the_api_server_calls_it_immutable(message: str) -> None:
    assert is_immutable_refusal(message)


@pytest.mark.parametrize(
    "message", ["Required value", "Unsupported value: x", "Forbidden: field can not be less than status.capacity"]
)
def test_other_refusals_are_errors_and_never_replacements(message: str) -> None:
    assert not is_immutable_refusal(message)


def test_a_change_is_blamed_by_the_field_that_the_api_server_names() -> None:
    assert blamed(("spec", "template", "spec"), ["spec.template"])
    assert blamed(("spec",), ["spec.clusterIPs[0]"])
    assert not blamed(("metadata", "labels"), ["spec", "<nil>", ""])


def test_a_new_object_needs_the_place_of_the_old_one_only_under_the_same_name() -> None:
    old = {"metadata": {"name": "a", "namespace": "n"}}
    assert same_place(old, old, old)
    assert not same_place(old, old, {"metadata": {"name": "b", "namespace": "n"}})
    assert not same_place(old, old, {"metadata": {"name": "a", "namespace": "m"}})


def test_only_a_failed_job_is_made_again() -> None:
    asked = {"metadata": {"annotations": {"pulumi.com/replaceUnready": "true"}}}
    failed = {"kind": "Job", "status": {"conditions": [{"type": "Failed", "status": "True"}]}}
    assert unready_job(asked, failed)
    assert not unready_job({}, failed)
    assert not unready_job(asked, {"kind": "Job", "status": {"active": 1}})
    assert not unready_job(asked, None)


OURS = {
    "manager": "pulumi-kubernetes-1",
    "fieldsV1": {
        "f:spec": {
            "f:replicas": {},
            "f:containers": {'k:{"name":"main"}': {".": {}, "f:name": {}, "f:args": {}, "f:env": {}}},
            "f:ports": {'k:{"port":80,"protocol":"TCP"}': {"f:port": {}}},
            "f:finalizers": {'v:"a"': {}},
        }
    },
}
THEIRS = {"manager": "scaler", "fieldsV1": {"f:spec": {"f:containers": {'k:{"name":"sidecar"}': {"f:name": {}}}}}}


MAIN = {"name": "main"}


def live(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"managedFields": [OURS, THEIRS]}, "spec": spec}


@pytest.mark.parametrize(
    ("given", "now", "before", "seen"),
    [
        ({"replicas": 1}, {"replicas": 1, "paused": False}, {"replicas": 1}, {"replicas": 1}),
        ({"replicas": 1}, {"replicas": 3}, {"replicas": 1}, {"replicas": 3}),
        ({"replicas": 1}, {}, {"replicas": 1}, {}),
        # What the API server writes in its own words, and what it never shows.
        ({"timeout": "90s"}, {"timeout": "1m30s"}, {"timeout": "1m30s"}, {"timeout": "90s"}),
        ({"hidden": "x"}, {}, {}, {"hidden": "x"}),
        ({"flag": False, "map": {}}, {}, {"flag": False}, {"flag": False, "map": {}}),
        # Lists by their keys: what others put beside or before ours is theirs.
        (
            {"containers": [{"name": "main", "args": ["a"]}]},
            {"containers": [{"name": "sidecar"}, {"name": "main", "args": ["a"], "tty": False}]},
            {"containers": [{"name": "main", "args": ["a"]}]},
            {"containers": [{"name": "main", "args": ["a"]}]},
        ),
        (
            {"containers": [{"name": "main", "args": ["a"]}]},
            {"containers": [{"name": "main", "args": ["a", "b"]}]},
            {"containers": [{"name": "main", "args": ["a"]}]},
            {"containers": [{"name": "main", "args": ["a", "b"]}]},
        ),
        (
            {"containers": [{"name": "main"}]},
            {"containers": []},
            {"containers": [{"name": "main"}]},
            {"containers": []},
        ),
        ({"ports": [{"port": 80}]}, {"ports": [{"port": 80, "protocol": "TCP"}]}, {}, {"ports": [{"port": 80}]}),
        ({"finalizers": ["a"]}, {"finalizers": ["b", "a"]}, {"finalizers": ["a"]}, {"finalizers": ["a"]}),
        ({"finalizers": ["a"]}, {"finalizers": ["b"]}, {"finalizers": ["a"]}, {"finalizers": []}),
    ],
)
def test_the_inputs_as_the_cluster_has_them(given: Any, now: Any, before: Any, seen: Any) -> None:
    fields = all_fields(live())["f:spec"]
    assert live_inputs(given, now, before, fields) == seen


def test_the_owners_of_a_field_are_known_by_its_place() -> None:
    obj = live(replicas=1, containers=[{"name": "main"}, {"name": "sidecar"}])
    assert others_of(obj, ("spec", "containers", 1, "name"), "pulumi-kubernetes-1") == ["scaler"]
    assert others_of(obj, ("spec", "containers", 0, "name"), "pulumi-kubernetes-1") == []
    assert others_of(obj, ("spec", "replicas"), "scaler") == ["pulumi-kubernetes-1"]
    assert is_managed_by(obj, "scaler")
    assert not is_managed_by(obj, "kubectl")
