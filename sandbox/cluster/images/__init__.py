"""Container images without a registry: an explicit catalogue of what is made here, and the folder it is served from."""

from sandbox.cluster.images.build import build_dockerfile, ensure_images, find_image, find_images
from sandbox.cluster.images.catalogue import CATALOGUE, CatalogueImage, describe
from sandbox.cluster.images.registry import registry_command
from sandbox.cluster.images.storage import registry_folder

__all__ = [
    "CATALOGUE",
    "CatalogueImage",
    "build_dockerfile",
    "describe",
    "ensure_images",
    "find_image",
    "find_images",
    "registry_command",
    "registry_folder",
]
