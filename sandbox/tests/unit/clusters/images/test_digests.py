"""References to catalogue images by another registry's digest."""

import pytest

from mlp_sandbox.clusters.images.catalogue import CATALOGUE
from mlp_sandbox.clusters.images.digests import stand_in, without_digests
from mlp_sandbox.clusters.limits import cluster_limits

DIGEST = f"sha256:{'a' * 64}"
SCALER = "registry.k8s.io/autoscaling/cluster-autoscaler"


@pytest.mark.parametrize(
    ("named", "run"),
    [
        (f"{SCALER}:v1.35.0@{DIGEST}", f"{SCALER}:v1.35.0"),
        (f"{SCALER}@{DIGEST}", f"{SCALER}:v1.36.0"),
        (f"{SCALER}:v1.35.0", f"{SCALER}:v1.35.0"),
        (f"{SCALER}:v9@{DIGEST}", f"{SCALER}:v9@{DIGEST}"),
        (f"ghcr.io/team/app:1@{DIGEST}", f"ghcr.io/team/app:1@{DIGEST}"),
    ],
)
def test_a_digest_is_mapped_to_what_is_made_here_for_the_same_name(named: str, run: str):
    assert stand_in(named) == run


def test_every_image_of_the_catalogue_can_be_named_by_digest():
    for image in CATALOGUE:
        for reference in image.references:
            assert stand_in(f"{reference}@{DIGEST}") == reference


def test_dockerfiles_that_pin_their_base_are_built_on_what_is_made_here():
    python, other = "public.ecr.aws/docker/library/python:3.11-slim", f"x.io/y:1@{DIGEST}"
    text = f"# FROM {python}@{DIGEST}\nFROM {python}@{DIGEST} AS a\nFROM {other}\nRUN echo {python}@{DIGEST}\n"
    assert without_digests(text) == text.replace(f"\nFROM {python}@{DIGEST} AS", f"\nFROM {python} AS")
    assert without_digests("FROM scratch\n") == "FROM scratch\n"


def test_users_are_told():
    assert [each for each in cluster_limits() if "under any digest" in each["effect"]]
