"""Mapping from SDK types to API kinds, and names for objects that the program leaves unnamed."""

from __future__ import annotations

from typing import Any

import pytest

from mlp_sandbox.providers.kubernetes.annotations import (
    AUTONAMED,
    DEFAULT_TIMEOUT,
    problems,
    propagation_of,
    timeout_of,
)
from mlp_sandbox.providers.kubernetes.kinds import Kind, id_of, is_cluster_scoped, kind_of, kind_of_object, split_id
from mlp_sandbox.providers.kubernetes.naming import field_manager, is_automatic, with_name, with_namespace
from mlp_sandbox.providers.protocol import Naming, ProviderError, Resource
from mlp_sandbox.providers.values import UNKNOWN

WEB = Resource("urn:pulumi:dev::p::kubernetes:apps/v1:Deployment::web", "kubernetes:apps/v1:Deployment", "web")
NAMING = Naming(b"seed")


@pytest.mark.parametrize(
    ("token", "kind", "api_version"),
    [
        ("kubernetes:core/v1:Pod", Kind("", "v1", "Pod"), "v1"),
        ("kubernetes:v1:Pod", Kind("", "v1", "Pod"), "v1"),
        ("kubernetes:apps/v1:Deployment", Kind("apps", "v1", "Deployment"), "apps/v1"),
        (
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            Kind("rbac.authorization.k8s.io", "v1", "Role"),
            "rbac.authorization.k8s.io/v1",
        ),
        (
            "kubernetes:monitoring.coreos.com/v1:ServiceMonitor",
            Kind("monitoring.coreos.com", "v1", "ServiceMonitor"),
            "monitoring.coreos.com/v1",
        ),
    ],
)
def test_a_type_is_a_kind(token: str, kind: Kind, api_version: str) -> None:
    assert kind_of(token) == kind
    assert kind.api_version == api_version


@pytest.mark.parametrize(
    ("token", "inputs", "said"),
    [
        ("kubernetes:helm.sh/v3:Release", {}, "Helm charts"),
        ("kubernetes:yaml/v2:ConfigFile", {}, "YAML files"),
        ("kubernetes:kustomize/v2:Directory", {}, "kustomizations"),
        ("kubernetes:yaml:ConfigGroup", {}, "YAML files"),
        ("kubernetes:Pod", {}, "use kubernetes:<group>/<version>:<Kind>"),
        ("kubernetes:apps/v1:DeploymentPatch", {"kind": "Deployment"}, "declare the object as a Deployment"),
        ("kubernetes:core/v1:PodList", {"kind": "PodList", "items": []}, "declare each object"),
        ("kubernetes:core/v1:Pod", {"kind": "pod"}, "`kind` is 'pod', use 'Pod'"),
    ],
)
def test_what_is_no_object_is_refused_with_its_type(token: str, inputs: dict[str, Any], said: str) -> None:
    with pytest.raises(ProviderError, match=said) as refused:
        kind_of_object(token, inputs)
    assert token in str(refused.value)


def test_a_kind_of_ones_own_may_be_called_patch_or_list() -> None:
    assert kind_of_object("kubernetes:a.b/v1:RoadPatch", {"kind": "RoadPatch", "apiVersion": "a.b/v1"}).name == (
        "RoadPatch"
    )
    assert kind_of_object("kubernetes:a.b/v1:AllowList", {"kind": "AllowList", "spec": {}}).name == "AllowList"


def test_the_inputs_api_version_has_the_last_word() -> None:
    assert kind_of_object("kubernetes:batch/v1:CronJob", {"apiVersion": "batch/v2", "kind": "CronJob"}).version == "v2"


@pytest.mark.parametrize(
    ("kind", "outside"),
    [
        (Kind("", "v1", "Namespace"), True),
        (Kind("", "v1", "Pod"), False),
        (Kind("storage.k8s.io", "v1", "StorageClass"), True),
        (Kind("example.com", "v1", "Node"), False),
        (Kind("example.com", "v1", "Widget"), False),
    ],
)
def test_kinds_outside_namespaces_are_known_without_a_cluster(kind: Kind, outside: bool) -> None:
    assert is_cluster_scoped(kind) is outside


def test_an_id_is_namespace_and_name() -> None:
    assert id_of({"metadata": {"namespace": "apps", "name": "web"}}) == "apps/web"
    assert id_of({"metadata": {"name": "apps"}}) == "apps"
    assert (split_id("apps/web"), split_id("apps")) == (("apps", "web"), ("", "apps"))


@pytest.mark.parametrize("id", ["", "apps/", "a/b/c"])
def test_an_id_that_is_none_is_refused(id: str) -> None:
    with pytest.raises(ProviderError, match="use <namespace>/<name> or <name>"):
        split_id(id)


def test_an_object_without_a_name_gets_one_and_is_marked() -> None:
    named = with_name(WEB, {}, {"metadata": {"labels": {"a": "b"}}}, NAMING)
    name = named["metadata"]["name"]
    assert name.startswith("web-")
    assert len(name) == len("web-") + 7
    assert is_automatic(named)
    assert named["metadata"]["labels"] == {"a": "b"}
    assert with_name(WEB, {}, {}, NAMING)["metadata"]["name"] == name
    assert with_name(WEB, {}, {}, Naming(b"other"))["metadata"]["name"] != name


def test_an_automatic_name_stays_until_the_object_is_replaced() -> None:
    old = with_name(WEB, {}, {}, NAMING)
    assert with_name(WEB, old, {}, Naming(b"other"))["metadata"] == old["metadata"]
    imported = {"metadata": {"name": "theirs"}}
    assert with_name(WEB, imported, {}, NAMING) == {"metadata": {"name": "theirs"}}


@pytest.mark.parametrize("metadata", [{"name": "fixed"}, {"name": UNKNOWN}, UNKNOWN])
def test_a_name_of_the_programs_own_stands_known_or_not(metadata: Any) -> None:
    assert with_name(WEB, {}, {"metadata": metadata}, NAMING) == {"metadata": metadata}


def test_the_projects_rule_for_names_is_followed() -> None:
    assert with_name(WEB, {}, {}, Naming(b"", "p-web"))["metadata"]["name"] == "p-web"
    with pytest.raises(ProviderError, match=r"disabled in this project: set metadata\.name"):
        with_name(WEB, {}, {}, Naming(b"", disabled=True))


def test_a_name_that_the_api_server_would_make_is_refused() -> None:
    with pytest.raises(ProviderError, match="generateName cannot be used with server-side apply"):
        with_name(WEB, {}, {"metadata": {"generateName": "web-"}}, NAMING)


def test_a_namespace_is_filled_in_only_where_none_is_given() -> None:
    assert with_namespace({}, "apps")["metadata"] == {"namespace": "apps"}
    given = {"metadata": {"namespace": UNKNOWN}}
    assert with_namespace(given, "apps") == given
    assert with_namespace({"metadata": UNKNOWN}, "apps") == {"metadata": UNKNOWN}


def test_the_field_manager_is_the_same_in_every_run_and_kept_through_a_rename() -> None:
    manager = field_manager(WEB, {}, {})
    assert manager == field_manager(WEB, {}, {})
    assert manager.startswith("pulumi-kubernetes-")
    renamed = Resource(WEB.urn.replace("::web", "::site"), WEB.type, "site")
    assert field_manager(renamed, {}, {}) != manager
    assert field_manager(renamed, {}, {"__fieldManager": manager}) == manager
    chosen = {"metadata": {"annotations": {"pulumi.com/patchFieldManager": "me"}}}
    assert field_manager(WEB, chosen, {"__fieldManager": manager}) == "me"


def test_time_is_the_options_then_the_annotations_then_ten_minutes() -> None:
    noted = {"metadata": {"annotations": {"pulumi.com/timeoutSeconds": "30"}}}
    assert (timeout_of(noted, 5.0), timeout_of(noted, 0), timeout_of({}, 0)) == (5.0, 30.0, DEFAULT_TIMEOUT)


@pytest.mark.parametrize(
    ("given", "meant"), [("", "Foreground"), ("background", "Background"), ("Orphan", "Orphan"), ("x", "Foreground")]
)
def test_dependents_go_first_unless_the_object_says_otherwise(given: str, meant: str) -> None:
    noted = {"metadata": {"annotations": {"pulumi.com/deletionPropagationPolicy": given}}}
    assert propagation_of(noted) == meant


def test_annotations_that_mean_nothing_are_named() -> None:
    noted = {
        AUTONAMED: "true",
        "pulumi.com/timeoutSeconds": "5m",
        "pulumi.com/deletionPropagationPolicy": "later",
        "pulumi.com/waitFor": '["condition=Ready", "phase=Done"]',
    }
    found = " ".join(reason for _, reason in problems({"metadata": {"annotations": noted}}))
    assert "'5m' is not a whole number of seconds" in found
    assert "'later' is not one of foreground, background, orphan" in found
    assert "'phase=Done' begins with neither 'jsonpath=' nor 'condition='" in found
    assert problems({"metadata": {"annotations": {"pulumi.com/waitFor": "condition=Ready"}}}) == []
