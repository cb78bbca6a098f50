"""Catalogue of the sandbox's images: their references, and how each differs from upstream's image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["built", "stand-in"]


@dataclass(frozen=True, kw_only=True)
class CatalogueImage:
    """Image of the catalogue.

    Attributes:
        kind: `built` for the same program as in upstream's image, made here; `stand-in` for a replacement program.
    """

    name: str
    references: tuple[str, ...]
    kind: Kind
    made_from: str
    differs: str

    def __post_init__(self) -> None:
        if not self.references:
            raise ValueError(f"references of image {self.name!r} is empty; name at least one")


CATALOGUE: tuple[CatalogueImage, ...] = (
    CatalogueImage(
        name="pause",
        references=("registry.k8s.io/pause:3.10",),
        kind="built",
        made_from="sandbox/toolchain/standins/pause",
        differs="a program of our own that does the same",
    ),
    CatalogueImage(
        name="coredns",
        references=("registry.k8s.io/coredns/coredns:v1.13.2",),
        kind="built",
        made_from="the Go module github.com/coredns/coredns (sandbox/toolchain/coredns)",
        differs="none",
    ),
    CatalogueImage(
        name="metrics-server",
        references=("registry.k8s.io/metrics-server/metrics-server:v0.9.0",),
        kind="built",
        made_from="the Go module sigs.k8s.io/metrics-server (sandbox/toolchain/metrics-server)",
        differs="none",
    ),
    CatalogueImage(
        name="nvidia-device-plugin",
        references=("nvcr.io/nvidia/k8s-device-plugin:v0.18.0",),
        kind="stand-in",
        made_from="sandbox/toolchain/standins/nvidia-device-plugin",
        differs="announces the GPUs of the node's instance type to the kubelet; there is none, and containers get no "
        "device (MLP_SIMULATED_ACCELERATOR=1 tells them)",
    ),
    CatalogueImage(
        name="python",
        references=("docker.io/library/python:3.11-slim", "public.ecr.aws/docker/library/python:3.11-slim"),
        kind="built",
        made_from="Debian 12 packages (debootstrap)",
        differs="Python is Debian's 3.11, in a virtual environment at /usr/local",
    ),
    CatalogueImage(
        name="cluster-autoscaler",
        # The tag follows the cluster's minor version.
        references=tuple(
            f"registry.k8s.io/autoscaling/cluster-autoscaler:v1.{minor}.0" for minor in ("36", "35", "34", "33")
        ),
        kind="stand-in",
        made_from="sandbox/src/mlp_sandbox/clusters/standins/cluster_autoscaler",
        differs="a program of our own that scales the same Auto Scaling groups by the same flags and tags; "
        "its decisions are simpler",
    ),
)


def describe() -> list[dict[str, str]]:
    """Return one table row per reference."""
    return [
        {
            "reference": reference,
            "kind": image.kind,
            "made from": image.made_from,
            "differs from upstream": image.differs,
        }
        for image in CATALOGUE
        for reference in image.references
    ]
