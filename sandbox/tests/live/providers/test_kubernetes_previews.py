"""Previews check all that the API server can answer, and accept objects that depend on others of the same program."""

from __future__ import annotations

import yaml

from mlp_sandbox.providers.kubernetes.cluster import Cluster
from mlp_sandbox.testing.box import free_port
from sandbox.tests.live.providers.clusters import ClusterProgram, make

DEPLOYMENT = """
k8s.apps.v1.Deployment("web", metadata={"namespace": "%s"}, opts=options(), spec={"replicas": 0,
    "selector": {"match_labels": {"app": "web"}}, "template": labelled("%s"%s)})
"""


def test_a_cluster_that_does_not_exist_yet_is_no_obstacle(kube: ClusterProgram) -> None:
    provider = f"""
first = k8s.Provider("first", kubeconfig={str(kube.kubeconfig)!r})
made = k8s.core.v1.ConfigMap("cluster", metadata={{"namespace": {kube.namespace!r}}}, data={{}},
    opts=ResourceOptions(provider=first))
kubeconfig = made.metadata.uid.apply(lambda uid: {kube.kubeconfig.read_text()!r} + f"# {{uid}}")
provider = k8s.Provider("later", kubeconfig=kubeconfig)
"""
    kube.write(DEPLOYMENT % (kube.namespace, "web", ""), provider)
    preview = kube.preview()
    assert "5 to create" in preview
    assert "error" not in preview
    kube.up()
    kube.preview("--expect-no-changes")


def test_a_misspelt_field_fails_the_preview_by_its_name(kube: ClusterProgram) -> None:
    kube.write(DEPLOYMENT % (kube.namespace, "web", ', nodeSelecter={"a": "b"}'))
    preview = kube.preview(ok=False)
    assert "the API server cannot read the object: .spec.template.spec.nodeSelecter: field not declared" in preview
    assert "Deployment web" in preview


def test_invalid_values_fail_the_preview_field_by_field(kube: ClusterProgram) -> None:
    kube.write(DEPLOYMENT % (kube.namespace, "other", ', restartPolicy="Sometimes"'))
    preview = kube.preview(ok=False)
    assert "spec.template.spec.restartPolicy: Unsupported value" in preview
    assert "spec.template.metadata.labels: Invalid value" in preview


def test_an_admission_warning_is_shown(kube: ClusterProgram, cluster: Cluster) -> None:
    make(
        cluster,
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": kube.namespace, "labels": {"pod-security.kubernetes.io/warn": "restricted"}},
        },
    )
    kube.write(DEPLOYMENT % (kube.namespace, "web", ", hostNetwork=True"))
    assert 'would violate PodSecurity "restricted:latest"' in kube.preview()


def test_what_the_program_makes_itself_may_be_missing(kube: ClusterProgram) -> None:
    kube.write(f"""
        k8s.core.v1.Namespace("later", metadata={{"name": "{kube.namespace}-later"}}, opts=options())
        k8s.core.v1.ConfigMap("inside", metadata={{"namespace": "{kube.namespace}-later"}}, data={{}}, opts=options())
        k8s.apiextensions.CustomResource("thing", api_version="not.there/v1", kind="Thing",
            metadata={{"namespace": NAMESPACE}}, opts=options())
        k8s.core.v1.Pod("pod", metadata={{"namespace": NAMESPACE}}, opts=options(),
            spec=labelled("pod", serviceAccountName="later", priorityClassName="later")["spec"])
    """)
    preview = kube.preview()
    assert "6 to create" in preview
    assert "error" not in preview


def test_an_object_that_somebody_else_made_is_a_warning_and_never_taken_over(
    kube: ClusterProgram, cluster: Cluster
) -> None:
    theirs = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "theirs", "namespace": kube.namespace},
        "data": {"a": "1"},
    }
    make(cluster, theirs)
    kube.write("""
        k8s.core.v1.ConfigMap("mine", metadata={"namespace": NAMESPACE, "name": "theirs"}, data={"b": "2"},
            opts=options())
    """)
    told = f"v1 ConfigMap {kube.namespace}/theirs exists in the cluster, and this resource did not make it"
    assert f"warning: {told}" in kube.preview()
    failed = kube.up(ok=False)
    assert told in failed
    assert "pulumi import" in failed


def test_an_unreachable_cluster_leaves_the_preview_without_its_checks(kube: ClusterProgram) -> None:
    config = yaml.safe_load(kube.kubeconfig.read_text())
    config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{free_port()}"
    kube.write(DEPLOYMENT % (kube.namespace, "web", ""), kube.provider(kubeconfig=yaml.safe_dump(config)))
    preview = kube.preview()
    assert "this preview is made without the cluster: the API server https://127.0.0.1:" in preview
    assert "Connection refused" in preview


def test_values_that_the_api_server_chooses_are_unknown_before_it_does(kube: ClusterProgram) -> None:
    kube.write("""
        service = k8s.core.v1.Service("web", metadata={"namespace": NAMESPACE}, opts=options(),
            spec={"cluster_ip": "None", "ports": [{"port": 80}]})
        other = k8s.core.v1.Service("other", metadata={"namespace": NAMESPACE}, opts=options(),
            spec={"type": "NodePort", "ports": [{"port": 80}]})
        pulumi.export("headless", service.spec.cluster_ip)
        pulumi.export("address", other.spec.cluster_ip)
        pulumi.export("port", other.spec.ports[0].node_port)
        pulumi.export("policy", other.spec.session_affinity)
        pulumi.export("id", other.metadata.uid)
    """)
    preview = kube.preview()
    assert 'headless: "None"' in preview
    assert 'policy  : "None"' in preview
    for name in ("address ", "port    ", "id      "):
        assert f"{name}: [unknown]" in preview


def test_types_that_are_no_objects_are_refused_by_name(kube: ClusterProgram) -> None:
    kube.write('k8s.apps.v1.DeploymentPatch("web", metadata={"name": "web"}, opts=options())')
    assert "kubernetes:apps/v1:DeploymentPatch is not supported here" in kube.preview(ok=False)
    kube.write('k8s.helm.v3.Release("chart", chart="mlflow", opts=options())')
    assert "Helm charts and releases are not done here" in kube.preview(ok=False)


def test_provider_inputs_that_are_not_done_are_refused(kube: ClusterProgram) -> None:
    source = 'k8s.core.v1.ConfigMap("a", metadata={"namespace": NAMESPACE}, data={}, opts=options())'
    kube.write(source, kube.provider("enable_server_side_apply=False"))
    assert "the input 'enableServerSideApply': objects are applied on the server only here" in kube.preview(ok=False)
    kube.write(source, kube.provider("render_yaml_to_directory='out'"))
    assert "the input 'renderYamlToDirectory': manifests are not rendered here" in kube.preview(ok=False)
