"""The catalogue agrees with the pins that its images are built from, and every image has a recipe."""

import pytest

from mlp_sandbox.clusters.images.catalogue import CATALOGUE, CatalogueImage, describe
from mlp_sandbox.clusters.images.recipes import RECIPES
from mlp_sandbox.clusters.images.reference import parse_reference
from mlp_sandbox.toolchain.gomodule import MODULES, pinned_version


def references() -> list[str]:
    return [reference for image in CATALOGUE for reference in image.references]


def test_every_image_has_its_recipe() -> None:
    assert set(RECIPES) == {image.name for image in CATALOGUE}


def test_references_are_whole_and_no_two_images_share_one() -> None:
    assert [str(parse_reference(reference)) for reference in references()] == references()
    assert len(set(references())) == len(references())


@pytest.mark.parametrize(
    ("module", "path", "repository"),
    [
        ("coredns", "github.com/coredns/coredns", "registry.k8s.io/coredns/coredns"),
        ("metrics-server", "sigs.k8s.io/metrics-server", "registry.k8s.io/metrics-server/metrics-server"),
    ],
)
def test_the_tag_of_what_is_built_from_a_pin_is_the_pins_version(module: str, path: str, repository: str) -> None:
    assert f"{repository}:v{pinned_version(MODULES / module / 'go.mod', path)}" in references()


def test_the_table_says_of_every_reference_what_it_is_and_how_it_differs() -> None:
    rows = describe()
    assert [row["reference"] for row in rows] == references()
    assert all(all(row.values()) for row in rows)
    kinds = {row["reference"]: row["kind"] for row in rows}
    assert kinds["nvcr.io/nvidia/k8s-device-plugin:v0.18.0"] == "stand-in"
    assert kinds["registry.k8s.io/coredns/coredns:v1.13.2"] == "built"


def test_an_image_without_a_reference_is_refused() -> None:
    with pytest.raises(ValueError, match="references of image 'x' is empty"):
        CatalogueImage(name="x", references=(), kind="built", made_from="", differs="")
