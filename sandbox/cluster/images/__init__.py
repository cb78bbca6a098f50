"""Container images without a registry: an explicit catalogue of what is made here, and the folder it is served from."""

from sandbox.cluster.images.added import AddedImage, added_images, remove_image
from sandbox.cluster.images.build import build_dockerfile, ensure_images, find_image, find_images
from sandbox.cluster.images.catalogue import CATALOGUE, CatalogueImage, describe
from sandbox.cluster.images.pull import pull_image
from sandbox.cluster.images.registry import registry_command
from sandbox.cluster.images.storage import registry_folder

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
