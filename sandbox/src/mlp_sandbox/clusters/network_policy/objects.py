"""Fields of API objects that determine network rules. A change of any other field has no effect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Object = Mapping[str, Any]
_ENDED = ("Succeeded", "Failed")


@dataclass(frozen=True, kw_only=True)
class NamedPort:
    """Port that a container declares."""

    name: str
    number: int
    protocol: str


@dataclass(frozen=True, kw_only=True)
class Pod:
    """Pod that has an IPv4 address and has not ended."""

    namespace: str
    name: str
    address: str
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    node: str = ""
    host_network: bool = False
    ports: tuple[NamedPort, ...] = ()

    @classmethod
    def read(cls, raw: Object) -> Pod | None:
        metadata, spec, status = raw["metadata"], raw["spec"], raw.get("status") or {}
        address = status.get("podIP")
        if not address or ":" in address or status.get("phase") in _ENDED:
            return None
        return cls(
            namespace=metadata["namespace"],
            name=metadata["name"],
            address=address,
            labels=metadata.get("labels") or {},
            node=spec.get("nodeName", ""),
            host_network=bool(spec.get("hostNetwork")),
            ports=tuple(
                NamedPort(name=port.get("name", ""), number=port["containerPort"], protocol=port.get("protocol", "TCP"))
                for container in spec["containers"]
                for port in container.get("ports") or []
            ),
        )


@dataclass(frozen=True, kw_only=True)
class ServicePort:
    """Port of a Service. `target` is the number or the name of the port of its pods."""

    number: int
    target: int | str
    protocol: str


@dataclass(frozen=True, kw_only=True)
class Service:
    """Service that has its own cluster IP."""

    namespace: str
    address: str
    selector: Mapping[str, str]
    ports: tuple[ServicePort, ...]

    @classmethod
    def read(cls, raw: Object) -> Service | None:
        spec = raw["spec"]
        address = spec.get("clusterIP")
        if not address or address == "None" or ":" in address:
            return None
        return cls(
            namespace=raw["metadata"]["namespace"],
            address=address,
            selector=spec.get("selector") or {},
            ports=tuple(
                ServicePort(
                    number=port["port"],
                    target=port.get("targetPort") or port["port"],
                    protocol=port.get("protocol", "TCP"),
                )
                for port in spec.get("ports") or []
            ),
        )


@dataclass(frozen=True, kw_only=True)
class Namespace:
    name: str
    labels: Mapping[str, str]

    @classmethod
    def read(cls, raw: Object) -> Namespace | None:
        metadata = raw["metadata"]
        return cls(name=metadata["name"], labels=metadata.get("labels") or {})


@dataclass(frozen=True, kw_only=True)
class Policy:
    """NetworkPolicy; `spec` has the API's format.

    https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/
    """

    namespace: str
    name: str
    spec: Object

    @classmethod
    def read(cls, raw: Object) -> Policy | None:
        metadata = raw["metadata"]
        return cls(namespace=metadata["namespace"], name=metadata["name"], spec=raw.get("spec") or {})


@dataclass(frozen=True, kw_only=True)
class Content:
    """All objects that the rules are computed from."""

    policies: Sequence[Policy] = ()
    pods: Sequence[Pod] = ()
    namespaces: Sequence[Namespace] = ()
    services: Sequence[Service] = ()
