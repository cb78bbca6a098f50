"""Every version that the program pins exists in the test account: add-ons, images of nodes and pods, policies."""

import json
from datetime import date

import pytest

from components.eks.access import CLUSTER_ADMIN, POLICIES
from components.eks.versions import ADDONS, NODE_RELEASES, Minor
from components.support_dates import KUBERNETES, POSTGRES_MINORS, POSTGRES_NEWEST
from mlp_sandbox.clusters.images.catalogue import CATALOGUE
from mlp_sandbox.clusters.images.digests import stand_in
from mlp_sandbox.clusters.standins.cluster_autoscaler.flags import parse
from mlp_sandbox.emulator.kubernetes_access.policies import POLICIES as KNOWN_POLICIES
from mlp_sandbox.emulator.services.eks.addon_schemas import SCHEMAS
from mlp_sandbox.emulator.services.eks.addon_versions import check_addon_version
from mlp_sandbox.emulator.services.eks.images import check_release
from mlp_sandbox.emulator.services.eks.versions import VERSIONS
from mlp_sandbox.emulator.services.rds.versions import is_retired, postgres_versions
from platform_services.versions import CLUSTER_AUTOSCALER, IMAGES, NVIDIA_DEVICE_PLUGIN, needed
from stacks.support import notices
from tests.contract.manifests import of_kind, pods
from tests.contract.pod_security import containers
from tests.contract.programs import Program


@pytest.mark.parametrize("minor", ADDONS)
def test_every_pinned_add_on_exists_for_its_kubernetes(minor: Minor):
    for name, version in ADDONS[minor].items():
        check_addon_version(name, version, minor)


@pytest.mark.parametrize("minor", NODE_RELEASES)
def test_every_pinned_release_of_nodes_exists(minor: Minor):
    check_release(NODE_RELEASES[minor], minor)


def test_every_pinned_image_can_be_had():
    known = {reference for image in CATALOGUE for reference in image.references}
    assert {stand_in(image) for image in (NVIDIA_DEVICE_PLUGIN, *CLUSTER_AUTOSCALER.values())} <= known


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


@pytest.mark.parametrize("day", [date(2026, 11, 30), date(2027, 5, 31)])
def test_aws_supports_what_is_committed_for_a_good_while(environment: Program, day: date):
    assert list(notices(environment.settings, day)) == []


def test_the_account_that_it_is_tried_in_supports_versions_for_as_long():
    assert {name: (each.standard_until.date(), each.extended_until.date()) for name, each in VERSIONS.items()} == {
        name: (each.standard, each.extended) for name, each in KUBERNETES.items()
    }
    for version in postgres_versions():
        major, _, minor = version.partition(".")
        assert is_retired(version) is (int(minor) <= POSTGRES_MINORS[int(major)][-1].last), version
    assert {POSTGRES_NEWEST[major] for major in (15, 16, 17)} <= set(postgres_versions())


def test_every_environment_runs_in_it_with_digests_too(environment: Program):
    """No published digest is that of a stand-in, so digests are mapped; no image would be pulled from elsewhere."""
    run = {each["image"].partition("@")[0] for pod in pods(environment) for each in containers(pod.spec)}
    others = run & {image.reference for image in IMAGES.values()}
    assert others >= {image.reference for image in needed(environment.settings.cluster.version, (), efa=False)}
    for reference in others:
        assert stand_in(f"{reference}@sha256:{'a' * 64}") == reference
