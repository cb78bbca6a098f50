"""Objects of the add-ons, and the effect of a configuration on them."""

from typing import Any

import pytest

from mlp_sandbox.clusters.addons.keeper import AddonKeeper, AddonPlace, ignored, manifests
from mlp_sandbox.clusters.control_plane.api import ApiError, path_of
from mlp_sandbox.contracts.desired import EksAddon

PLACE = AddonPlace(dns_address="172.20.0.10", on_real_nodes=True)


def one(objects: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    [found] = [each for each in objects if each["kind"] == kind]
    return found


class FakeApi:
    """Store of objects by path; Deployments become available at once."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.refuses: str | None = None

    def apply(self, manifest: dict[str, Any]) -> None:
        if manifest["kind"] == self.refuses:
            raise ApiError(422, "spec.replicas: must be a number")
        made = {**manifest, "metadata": {**manifest["metadata"], "generation": 1}}
        if manifest["kind"] == "Deployment":
            ready = manifest["spec"]["replicas"]
            made["status"] = {"observedGeneration": 1, "availableReplicas": ready, "updatedReplicas": ready}
        self.objects[path_of(manifest)] = made

    def get(self, path: str) -> dict[str, Any]:
        return self.objects[path]

    def find(self, path: str) -> dict[str, Any] | None:
        return self.objects.get(path)

    def list(self, path: str, **query: str) -> list[dict[str, Any]]:
        return []

    def delete(self, path: str) -> None:
        self.objects.pop(path, None)


def keeper() -> tuple[AddonKeeper, FakeApi]:
    api = FakeApi()
    return AddonKeeper(api, PLACE), api  # pyright: ignore[reportArgumentType] - as much of it as is used


@pytest.mark.parametrize("name", ["coredns", "metrics-server"])
def test_pods_of_addons_keep_to_restricted_pod_security(name: str):
    pod = one(manifests(name, {}, PLACE), "Deployment")["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    [container] = pod["containers"]
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"]["drop"] == ["ALL"]
    assert set(container["securityContext"]["capabilities"].get("add", [])) <= {"NET_BIND_SERVICE"}


@pytest.mark.parametrize("name", ["coredns", "metrics-server"])
def test_replicas_resources_and_tolerations_are_the_users(name: str):
    wanted = {"replicaCount": 3, "resources": {"limits": {"memory": "1Gi"}}, "tolerations": [{"operator": "Exists"}]}
    spec = one(manifests(name, wanted, PLACE), "Deployment")["spec"]
    pod = spec["template"]["spec"]
    assert spec["replicas"] == 3
    assert pod["containers"][0]["resources"] == {"limits": {"memory": "1Gi"}}
    assert pod["tolerations"] == [{"operator": "Exists"}]


def test_addons_lie_on_real_nodes_where_there_are_some():
    real = one(manifests("coredns", {}, PLACE), "Deployment")["spec"]["template"]["spec"]["affinity"]
    place = AddonPlace(dns_address="172.20.0.10", on_real_nodes=False)
    anywhere = one(manifests("coredns", {}, place), "Deployment")["spec"]["template"]["spec"]["affinity"]
    assert "nodeAffinity" in real
    assert "nodeAffinity" not in anywhere


def test_the_name_server_has_the_address_that_pods_are_told():
    assert one(manifests("coredns", {}, PLACE), "Service")["spec"]["clusterIP"] == "172.20.0.10"


def test_another_corefile_starts_new_pods():
    def template(corefile: str) -> Any:
        return one(manifests("coredns", {"corefile": corefile}, PLACE), "Deployment")["spec"]["template"]["metadata"]

    assert template(".:53 { errors }") != template(".:53 { log }")


def test_keys_that_change_nothing_are_told():
    addon = EksAddon(name="coredns", version="v1", configuration={"replicaCount": 2, "autoScaling": {"enabled": True}})
    assert ignored(addon) == ["autoScaling"]
    made, _ = keeper()
    assert made.step([addon])
    assert "autoScaling" in str(made.states["coredns"].reason)


def test_an_installed_addon_is_healthy_and_a_removed_one_leaves_nothing():
    made, api = keeper()
    made.step([EksAddon(name="metrics-server", version="v1")])
    assert made.states["metrics-server"].state == "healthy"
    made.step([])
    assert api.objects == {}


def test_addons_that_the_nodes_do_are_healthy_and_unknown_ones_are_not():
    made, _ = keeper()
    made.step([EksAddon(name="kube-proxy", version="v1"), EksAddon(name="adot", version="v1")])
    assert made.states["kube-proxy"].state == "healthy"
    assert "does not run add-on adot" in str(made.states["adot"].reason)


def test_a_configuration_that_the_api_server_refuses_is_told_in_its_words():
    made, api = keeper()
    api.refuses = "Deployment"
    made.step([EksAddon(name="coredns", version="v1", configuration={"replicaCount": "two"})])
    assert made.states["coredns"].state == "unhealthy"
    assert "spec.replicas: must be a number" in str(made.states["coredns"].reason)
