"""Where an image pull of containerd goes."""

import pytest

from sandbox.cluster.node.registry_redirect import lacks, target


@pytest.mark.parametrize(
    ("asked", "there"),
    [
        ("/v2/", "/v2/"),
        ("/v2/library/python/manifests/3.11?ns=docker.io", "/v2/docker.io/library/python/manifests/3.11"),
        ("/v2/pause/blobs/sha256:00ff?ns=registry.k8s.io", "/v2/registry.k8s.io/pause/blobs/sha256:00ff"),
        ("/v2/app/manifests/1?ns=localhost:5000", "/v2/localhost_5000/app/manifests/1"),
        ("/v2/app/tags/list?n=5&ns=ghcr.io", "/v2/ghcr.io/app/tags/list?n=5"),
        (
            "/v2/mlops/train/manifests/v1?ns=123456789012.dkr.ecr.us-east-1.amazonaws.com",
            "/v2/123456789012.dkr.ecr.us-east-1.amazonaws.com/mlops/train/manifests/v1",
        ),
    ],
)
def test_the_host_of_the_reference_becomes_the_first_part_of_the_repository(asked: str, there: str) -> None:
    assert target(asked) == there


@pytest.mark.parametrize(
    "asked",
    ["/v2/app/manifests/1", "/v2/app/manifests/1?ns=", "/v2/app/manifests/1?ns=../../etc", "/metrics?ns=ghcr.io", "/"],
)
def test_a_request_without_a_sound_host_goes_nowhere(asked: str) -> None:
    assert target(asked) is None


def test_a_registry_that_does_not_answer_is_not_said_to_lack_the_image() -> None:
    assert not lacks("127.0.0.1:1", "/v2/ghcr.io/app/manifests/1", "*/*")


def test_layers_are_not_asked_for_twice() -> None:
    assert not lacks("no such host", "/v2/ghcr.io/app/blobs/sha256:00", "*/*")
