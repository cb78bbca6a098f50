"""The parser of image references follows Docker's rules."""

import pytest

from mlp_sandbox.clusters.images.reference import parse_reference
from mlp_sandbox.errors import SandboxError


@pytest.mark.parametrize(
    ("text", "whole", "repository"),
    [
        ("python", "docker.io/library/python:latest", "docker.io/library/python"),
        ("python:3.11-slim", "docker.io/library/python:3.11-slim", "docker.io/library/python"),
        ("my-team/model:1", "docker.io/my-team/model:1", "docker.io/my-team/model"),
        ("docker.io/python:3", "docker.io/library/python:3", "docker.io/library/python"),
        ("registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10", "registry.k8s.io/pause"),
        ("localhost/app", "localhost/app:latest", "localhost/app"),
        ("localhost:5000/a/b__c:v1.2_3", "localhost:5000/a/b__c:v1.2_3", "localhost_5000/a/b__c"),
        (
            "111122223333.dkr.ecr.eu-west-1.amazonaws.com/dev/model:a-b.c",
            "111122223333.dkr.ecr.eu-west-1.amazonaws.com/dev/model:a-b.c",
            "111122223333.dkr.ecr.eu-west-1.amazonaws.com/dev/model",
        ),
    ],
)
def test_a_reference_gets_its_host_its_path_and_its_tag(text: str, whole: str, repository: str) -> None:
    found = parse_reference(text)
    assert str(found) == whole
    assert found.repository == repository


@pytest.mark.parametrize("text", ["", "Model", "a b", "a:", "a:b:c", "/a", "a//b", "a/../b", "a:-x", "../up", "x.io/"])
def test_what_is_no_reference_is_named(text: str) -> None:
    with pytest.raises(SandboxError, match=r"image reference .* is not one: it is \[host/\]path\[:tag\]"):
        parse_reference(text)


def test_a_digest_is_refused_with_the_way_out() -> None:
    with pytest.raises(SandboxError, match="has a digest; name a tag"):
        parse_reference("python@sha256:" + "0" * 64)
