"""Production runs no third-party image by tag alone."""

from dataclasses import replace
from typing import Any

import pulumi
import pytest

from mlp.recording import configuration, run_main
from platform_services import versions
from platform_services.versions import IMAGES, needed
from stacks.pinned_images import check_images
from stacks.settings import SettingsError, parse_settings
from tests.unit.stacks.examples import SOUND, spoiled

DIGEST = f"sha256:{'a' * 64}"
NEURON = {"instance_types": ["inf2.xlarge"], "accelerator": "aws-inferentia2", "max_size": 1}


def pinned(monkeypatch: pytest.MonkeyPatch, *but: str) -> None:
    images = {name: replace(image, digest="" if name in but else DIGEST) for name, image in IMAGES.items()}
    monkeypatch.setattr(versions, "IMAGES", images)


def settings(*changes: tuple[str, object]) -> Any:
    return parse_settings(spoiled(*changes), "test")


def test_prod_names_every_image_that_it_needs_and_the_command(monkeypatch: pytest.MonkeyPatch):
    pinned(monkeypatch, *IMAGES)
    with pytest.raises(SettingsError) as refused:
        check_images(settings(), {})
    assert str(refused.value) == (
        "prod: images without a digest: registry.k8s.io/autoscaling/cluster-autoscaler:v1.36.0, "
        "nvcr.io/nvidia/k8s-device-plugin:v0.18.0; run `mlp images pin` where their registries can be reached, and "
        "commit platform_services/images.txt"
    )


def test_an_image_that_prod_does_not_run_may_go_without(monkeypatch: pytest.MonkeyPatch):
    pinned(monkeypatch, "neuron-device-plugin", "efa-device-plugin", "cluster-autoscaler-1.35")
    check_images(settings(), {})
    with pytest.raises(SettingsError, match="neuron-device-plugin"):
        check_images(settings(("cluster.gpu_pools.l4", NEURON)), {})
    fast = (("cluster.gpu_pools.l4.instance_types", ["g6.8xlarge"]), ("cluster.gpu_pools.l4.efa", True))
    with pytest.raises(SettingsError, match="aws-efa-k8s-device-plugin"):
        check_images(settings(*fast), {})


def test_other_environments_and_accounts_that_say_so_may_go_by_tag(monkeypatch: pytest.MonkeyPatch):
    pinned(monkeypatch, *IMAGES)
    check_images(parse_settings({**SOUND, "environment": "staging"}, "test"), {})
    check_images(settings(), {"MLP_UNPINNED_IMAGES": "allowed"})
    with pytest.raises(SettingsError):
        check_images(settings(), {"MLP_UNPINNED_IMAGES": "yes"})


def test_the_program_ends_before_it_makes_anything(monkeypatch: pytest.MonkeyPatch):
    """A recording accepts such images, since nothing of it runs; the engine's run rejects them."""
    pinned(monkeypatch, *IMAGES)
    assert run_main("prod", configuration("prod")).resources
    monkeypatch.setattr("mlp.recording.ALLOWED", "no")
    with pytest.raises(pulumi.RunError, match="prod: images without a digest"):
        run_main("prod", configuration("prod"))


def test_every_environment_can_be_served_by_the_table():
    for version in versions.CLUSTER_AUTOSCALER:
        names = [image.name for image in needed(version, {"nvidia-l4", "aws-trainium", "none"}, efa=True)]
        assert names == [
            f"cluster-autoscaler-{version}",
            "nvidia-device-plugin",
            "neuron-device-plugin",
            "efa-device-plugin",
        ]
