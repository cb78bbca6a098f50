"""Container images without an external registry: a catalogue of images made here, and the storage that serves them."""

from mlp_sandbox.clusters.images.added import AddedImage, added_images, remove_image
from mlp_sandbox.clusters.images.build import build_dockerfile, ensure_images, find_image, find_images
from mlp_sandbox.clusters.images.catalogue import CATALOGUE, CatalogueImage, describe
from mlp_sandbox.clusters.images.pull import pull_image
from mlp_sandbox.clusters.images.registry import registry_command
from mlp_sandbox.clusters.images.storage import registry_folder

__all__ = [
    "CATALOGUE",
    "AddedImage",
    "CatalogueImage",
    "added_images",
    "build_dockerfile",
    "describe",
    "ensure_images",
    "find_image",
    "find_images",
    "pull_image",
    "registry_command",
    "registry_folder",
    "remove_image",
]
