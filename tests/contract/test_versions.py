"""What the program pins exists in the account that it is tried in: add-ons, images of nodes and of pods, policies."""

import json

import pytest

from components.eks.access import CLUSTER_ADMIN, POLICIES
from components.eks.versions import ADDONS, NODE_RELEASES
from platform_services.versions import CLUSTER_AUTOSCALER, NVIDIA_DEVICE_PLUGIN
from sandbox.cluster.images.catalogue import CATALOGUE
from sandbox.cluster.standins.cluster_autoscaler.flags import parse
from sandbox.emulator.extensions.eks_addon_schemas import SCHEMAS
from sandbox.emulator.extensions.eks_addon_versions import check_addon_version
from sandbox.emulator.extensions.eks_images import check_release
from sandbox.emulator.kubernetes_access.policies import POLICIES as KNOWN_POLICIES
from tests.contract.manifests import of_kind
from tests.contract.programs import Program


@pytest.mark.parametrize("minor", ADDONS)
def test_every_pinned_add_on_exists_for_its_kubernetes(minor: str):
    for name, version in ADDONS[minor].items():
        check_addon_version(name, version, minor)


@pytest.mark.parametrize("minor", NODE_RELEASES)
def test_every_pinned_release_of_nodes_exists(minor: str):
    check_release(NODE_RELEASES[minor], minor)


def test_every_pinned_image_can_be_had():
    known = {reference for image in CATALOGUE for reference in image.references}
    assert {NVIDIA_DEVICE_PLUGIN, *CLUSTER_AUTOSCALER.values()} <= known


def test_the_autoscaler_understands_its_flags(environment: Program):
    [deployment] = [each for each in of_kind(environment, "Deployment") if each.name.endswith("autoscaler-deployment")]
    [container] = deployment.inputs["spec"]["template"]["spec"]["containers"]
    assert parse(container["args"])


def test_add_ons_are_configured_with_what_they_know(environment: Program):
    for each in environment.of_type("aws:eks/addon:Addon"):
        configured = json.loads(each.inputs.get("configurationValues", "{}"))
        assert set(configured) <= set(SCHEMAS[each.inputs["addonName"]]["properties"]), each.name


def test_access_policies_exist():
    assert {CLUSTER_ADMIN, *POLICIES.values()} <= set(KNOWN_POLICIES)
