"""Objects of many kinds from a program to the cluster and back: created, unchanged, changed, replaced, destroyed."""

from __future__ import annotations

import base64

from mlp_sandbox.providers.kubernetes.cluster import Cluster
from mlp_sandbox.providers.kubernetes.kinds import Kind
from sandbox.tests.live.providers.clusters import ClusterProgram, pods

CONFIG_MAP, SECRET = Kind("", "v1", "ConfigMap"), Kind("", "v1", "Secret")
DEPLOYMENT = Kind("apps", "v1", "Deployment")

MANY_KINDS = """
ns = k8s.core.v1.Namespace("apps", metadata={"labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
    opts=options())
inside = {"namespace": ns.metadata.name}
settings = k8s.core.v1.ConfigMap("settings", metadata=inside, data={"a": "1"}, opts=options())
k8s.core.v1.Secret("password", metadata=inside, string_data={"password": "planted-value-1"}, opts=options())
account = k8s.core.v1.ServiceAccount("runner", metadata=inside, opts=options())
role = k8s.rbac.v1.Role("reader", metadata=inside, opts=options(),
    rules=[{"api_groups": [""], "resources": ["configmaps"], "verbs": ["get"]}])
k8s.rbac.v1.RoleBinding("reader", metadata=inside, opts=options(),
    role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "Role", "name": role.metadata.name},
    subjects=[{"kind": "ServiceAccount", "name": account.metadata.name, "namespace": ns.metadata.name}])
k8s.scheduling.v1.PriorityClass("low", value=100, opts=options())
k8s.core.v1.ResourceQuota("quota", metadata=inside, spec={"hard": {"requests.cpu": "4000m"}}, opts=options())
k8s.core.v1.LimitRange("limits", metadata=inside, opts=options(),
    spec={"limits": [{"type": "Container", "default_request": {"cpu": "100m"}, "default": {"cpu": "1000m"}}]})
k8s.networking.v1.NetworkPolicy("deny", metadata=inside, opts=options(),
    spec={"pod_selector": {}, "policy_types": ["Ingress", "Egress"]})
crd = k8s.apiextensions.v1.CustomResourceDefinition("widgets", metadata={"name": "widgets.example.com"}, spec={
    "group": "example.com", "scope": "Namespaced",
    "names": {"kind": "Widget", "plural": "widgets", "singular": "widget"},
    "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"open_apiv3_schema": {"type": "object",
        "properties": {"spec": {"type": "object", "x_kubernetes_preserve_unknown_fields": True}}}}}]},
    opts=options())
k8s.apiextensions.CustomResource("widget", api_version="example.com/v1", kind="Widget", metadata=inside,
    spec={"size": 3}, opts=options(depends_on=[crd]))
service = k8s.core.v1.Service("web", metadata=inside, opts=options(),
    spec={"selector": {"app": "web"}, "ports": [{"port": 80, "name": "http"}]})
web = k8s.apps.v1.Deployment("web", metadata=inside, opts=options(), spec={
    "replicas": 2, "selector": {"match_labels": {"app": "web"}},
    "template": labelled("web", container={"env": [{"name": "TOKEN", "value": pulumi.Output.secret("planted-value-2")}],
        "resources": {"requests": {"cpu": "0.1", "memory": "1024Mi"}}})})
k8s.policy.v1.PodDisruptionBudget("web", metadata=inside, opts=options(),
    spec={"min_available": 1, "selector": {"match_labels": {"app": "web"}}})
k8s.autoscaling.v2.HorizontalPodAutoscaler("web", metadata=inside, opts=options(), spec={"max_replicas": 4,
    "scale_target_ref": {"api_version": "apps/v1", "kind": "Deployment", "name": web.metadata.name}})
k8s.apps.v1.StatefulSet("store", metadata=inside, opts=options(), spec={"service_name": "store", "replicas": 1,
    "selector": {"match_labels": {"app": "store"}}, "template": labelled("store")})
k8s.apps.v1.DaemonSet("agent", metadata=inside, opts=options(), spec={
    "selector": {"match_labels": {"app": "agent"}}, "template": labelled("agent")})
k8s.batch.v1.Job("once", metadata=inside, spec={"template": labelled("once", restartPolicy="Never")}, opts=options())
k8s.batch.v1.CronJob("nightly", metadata=inside, opts=options(), spec={"schedule": "0 3 * * *",
    "job_template": {"spec": {"template": labelled("nightly", restartPolicy="Never")}}})
pulumi.export("namespace", ns.metadata.name)
pulumi.export("ready", web.status.ready_replicas)
pulumi.export("address", service.spec.cluster_ip)
"""


def test_objects_of_many_kinds_are_made_stay_as_they_are_and_go(kube: ClusterProgram, cluster: Cluster) -> None:
    kube.write(MANY_KINDS)
    kube.preview()
    first = kube.up()
    assert "ready    : 2" in first
    assert "22 created" in first
    kube.preview("--expect-no-changes")
    kube.preview("--refresh", "--expect-no-changes")
    kube.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    namespace = kube.only("kubernetes:core/v1:Namespace")["id"]
    assert len(pods(cluster, namespace)) >= 4
    state = kube.box.run("pulumi", "stack", "export", "--stack", "test", cwd=kube.folder).stdout
    for value in ("planted-value-1", "planted-value-2", base64.b64encode(b"planted-value-1").decode()):
        assert value not in state
    kube.pulumi("destroy", "--yes", "--skip-preview")
    assert cluster.get(Kind("", "v1", "Namespace"), "", namespace) is None


def test_a_secret_in_the_middle_of_an_object_hides_itself_and_nothing_else(kube: ClusterProgram) -> None:
    kube.write("""
        k8s.apps.v1.Deployment("web", metadata={"namespace": NAMESPACE}, opts=options(), spec={
            "replicas": 0, "selector": {"match_labels": {"app": "web"}}, "template": labelled("web",
                container={"env": [{"name": "TOKEN", "value": pulumi.Output.secret("planted-value-3")}]})})
    """)
    assert "planted-value-3" not in kube.preview("--diff")
    kube.up()
    spec = kube.only("kubernetes:apps/v1:Deployment")["outputs"]["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    assert container["image"] == "registry.example/app:1"
    assert "ciphertext" in container["env"][0]["value"]


def test_a_change_is_applied_in_place_and_shows_what_it_is(kube: ClusterProgram, cluster: Cluster) -> None:
    source = """
        k8s.apps.v1.Deployment("web", metadata={"namespace": NAMESPACE, "name": "web"}, opts=options(), spec={
            "replicas": %s, "selector": {"match_labels": {"app": "web"}}, "template": labelled("web")})
    """
    kube.write(source % 1)
    kube.up()
    before = cluster.get(DEPLOYMENT, kube.namespace, "web")
    kube.write(source % 3)
    assert "replicas: 1 => 3" in kube.preview("--diff")
    assert "1 updated" in kube.up()
    after = cluster.get(DEPLOYMENT, kube.namespace, "web")
    assert before
    assert after
    assert (before["metadata"]["uid"], after["status"]["availableReplicas"]) == (after["metadata"]["uid"], 3)


def test_what_is_taken_out_of_the_program_is_taken_out_of_the_object(kube: ClusterProgram, cluster: Cluster) -> None:
    source = """
        k8s.core.v1.ServiceAccount("account", opts=options(), metadata={"namespace": NAMESPACE, "name": "account",
            "labels": %s})
    """
    kube.write(source % '{"team": "a", "stage": "test"}')
    kube.up()
    kube.write(source % '{"team": "a"}')
    kube.up()
    account = cluster.get(Kind("", "v1", "ServiceAccount"), kube.namespace, "account")
    assert account
    assert account["metadata"]["labels"] == {"team": "a"}


def test_content_of_a_config_map_makes_a_new_one_before_the_old_one_goes(kube: ClusterProgram) -> None:
    source = 'k8s.core.v1.ConfigMap("settings", metadata={"namespace": NAMESPACE}, data={"a": "%s"}, opts=options())'
    kube.write(source % 1)
    kube.up()
    first = kube.only("kubernetes:core/v1:ConfigMap")["id"]
    kube.write(source % 2)
    assert kube.steps() == {"settings": "replace"}
    kube.up()
    assert kube.only("kubernetes:core/v1:ConfigMap")["id"] != first


def test_a_fixed_name_is_given_up_before_it_is_taken_again(kube: ClusterProgram, cluster: Cluster) -> None:
    source = """
        k8s.core.v1.ConfigMap("settings", metadata={"namespace": NAMESPACE, "name": "fixed"}, data={"a": "%s"},
            opts=options())
    """
    kube.write(source % 1)
    kube.up()
    kube.write(source % 2)
    kube.preview()
    kube.up()
    made = cluster.get(CONFIG_MAP, kube.namespace, "fixed")
    assert made
    assert made["data"] == {"a": "2"}
    kube.preview("--refresh", "--expect-no-changes")


def test_content_changes_in_place_where_the_provider_is_told_so(kube: ClusterProgram) -> None:
    provider = (
        f'provider = k8s.Provider("cluster", kubeconfig={str(kube.kubeconfig)!r}, enable_config_map_mutable=True)'
    )
    source = 'k8s.core.v1.ConfigMap("settings", metadata={"namespace": NAMESPACE}, data={"a": "%s"}, opts=options())'
    kube.write(source % 1, provider)
    kube.up()
    kube.write(source % 2, provider)
    assert kube.steps() == {"settings": "update"}


def test_what_the_api_does_not_let_change_makes_a_new_object(kube: ClusterProgram) -> None:
    source = """
        k8s.storage.v1.StorageClass("fast", provisioner="ebs.csi.aws.com", opts=options(), parameters={"type": "%s"})
        k8s.scheduling.v1.PriorityClass("low", value=%s, opts=options())
        k8s.node.v1.RuntimeClass("nvidia", handler="%s", opts=options())
    """
    kube.write(source % ("gp3", 1, "nvidia"))
    kube.up()
    kube.write(source % ("io2", 2, "other"))
    assert kube.steps() == {"fast": "replace", "low": "replace", "nvidia": "replace"}


def test_what_no_table_knows_the_api_server_is_asked(kube: ClusterProgram) -> None:
    source = """
        k8s.apps.v1.ControllerRevision("revision", metadata={"namespace": NAMESPACE}, revision=1, data={"a": %s},
            opts=options())
    """
    kube.write(source % 1)
    kube.up()
    kube.write(source % 2)
    assert kube.steps() == {"revision": "replace"}


def test_an_automatic_name_follows_the_rule_of_the_project(kube: ClusterProgram) -> None:
    settings = "config:\n  pulumi:autonaming:\n    value:\n      pattern: ${project}-${name}\n"
    with (kube.folder / "Pulumi.yaml").open("a") as file:
        file.write(settings)
    kube.write('k8s.core.v1.ServiceAccount("runner", metadata={"namespace": NAMESPACE}, opts=options())')
    kube.up()
    made = kube.only("kubernetes:core/v1:ServiceAccount")
    assert made["id"] == f"{kube.namespace}/probe-program-runner"
    assert made["inputs"]["metadata"]["annotations"] == {"pulumi.com/autonamed": "true"}


def test_the_providers_namespace_is_for_objects_that_name_none(kube: ClusterProgram) -> None:
    provider = kube.provider(f"namespace={kube.namespace!r}")
    kube.write(
        """
        k8s.core.v1.ConfigMap("inside", data={}, opts=options())
        k8s.rbac.v1.ClusterRole("outside", rules=[], opts=options())
        """,
        provider,
    )
    kube.up()
    assert kube.only("kubernetes:core/v1:ConfigMap")["id"].startswith(f"{kube.namespace}/")
    assert "/" not in kube.only("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole")["id"]
