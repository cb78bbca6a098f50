"""Readiness of services, claims, definitions and other objects."""

from __future__ import annotations

from typing import Any

from mlp_sandbox.providers.kubernetes.kinds import Object
from mlp_sandbox.providers.kubernetes.readiness.judgement import (
    READY,
    Judgement,
    condition,
    failed,
    is_true,
    said_by,
    spec_of,
    status_of,
    waiting,
)


def needs_endpoints(service: Object) -> bool:
    """Return whether a service needs pods; one without a selector and a headless one do not."""
    spec = spec_of(service)
    return bool(spec.get("selector")) and spec.get("type") != "ExternalName" and spec.get("clusterIP") != "None"


def judge_service(service: Object, slices: list[Object]) -> Judgement:
    """Judge a service by its EndpointSlices (`slices`)."""
    spec = spec_of(service)
    if needs_endpoints(service) and not _has_endpoint(slices):
        labels = ", ".join(f"{key}={value}" for key, value in sorted(spec["selector"].items()))
        found = sum(len(each.get("endpoints") or []) for each in slices)
        pods = f"{found} pods match it, none is ready" if found else "no pod matches it"
        return waiting(f"the service has no pod to send to: its selector is {labels}, {pods}")
    if spec.get("type") == "LoadBalancer" and not _has_address(service):
        return waiting("the service's load balancer has no address yet")
    return READY


def judge_ingress(ingress: Object, missing: list[str]) -> Judgement:
    """Judge an ingress; `missing` are services that its rules name and that do not exist."""
    if missing:
        return waiting(f"the ingress sends to services that are not there: {', '.join(missing)}")
    if not _has_address(ingress):
        return waiting("the ingress has no address yet: is there a controller for its class?")
    return READY


def services_of_ingress(ingress: Object) -> set[str]:
    spec = spec_of(ingress)
    backends: list[Any] = [spec.get("defaultBackend")]
    for rule in spec.get("rules") or []:
        backends += [path.get("backend") for path in (rule.get("http") or {}).get("paths") or []]
    services = [(backend or {}).get("service") or {} for backend in backends]
    return {str(service["name"]) for service in services if service.get("name")}


def judge_claim(claim: Object, storage_class: Object | None) -> Judgement:
    phase = status_of(claim).get("phase")
    if phase == "Bound":
        return READY
    if phase == "Lost":
        return failed("the claim has lost its volume")
    if storage_class and storage_class.get("volumeBindingMode") == "WaitForFirstConsumer":
        return READY
    name = spec_of(claim).get("storageClassName")
    if name and storage_class is None:
        return waiting(f"the claim is {phase}: there is no storage class '{name}'")
    if not name:
        return waiting(f"the claim is {phase}: it names no storage class, and there is no default one")
    return waiting(f"the claim is {phase}")


def judge_volume(volume: Object) -> Judgement:
    phase = status_of(volume).get("phase")
    if phase in ("Available", "Bound"):
        return READY
    if phase == "Failed":
        return failed(f"the volume failed: {status_of(volume).get('message')}")
    return waiting(f"the volume is {phase or 'not seen yet'}")


def judge_definition(definition: Object) -> Judgement:
    names = condition(definition, "NamesAccepted")
    if names.get("status") == "False":
        return failed(f"its names are taken: {said_by(names)}")
    schema = condition(definition, "NonStructuralSchema")
    if schema.get("status") == "True":
        return failed(f"its schema is not structural: {said_by(schema)}")
    return READY if is_true(definition, "Established") else waiting("the definition is not established yet")


def judge_api_service(service: Object) -> Judgement:
    if is_true(service, "Available"):
        return READY
    return waiting(f"the API is not available: {said_by(condition(service, 'Available')) or 'not looked at yet'}")


def judge_namespace(namespace: Object) -> Judgement:
    phase = status_of(namespace).get("phase")
    if phase == "Terminating":
        return failed("the namespace is being deleted")
    return READY if phase == "Active" else waiting("the namespace is not active yet")


def judge_quota(quota: Object) -> Judgement:
    hard = status_of(quota).get("hard") or {}
    missing = sorted((spec_of(quota).get("hard") or {}).keys() - hard.keys())
    return READY if not missing else waiting(f"the quota is not counted yet: {', '.join(missing)}")


def judge_secret(secret: Object) -> Judgement:
    """Judge a secret; the cluster fills in only the token of a service account."""
    if secret.get("type") != "kubernetes.io/service-account-token" or (secret.get("data") or {}).get("token"):
        return READY
    return waiting("the service account's token is not there yet")


def blocks_of_namespace(namespace: Object) -> str:
    """Return why a namespace that is being deleted still exists."""
    told = [
        str(each.get("message"))
        for each in status_of(namespace).get("conditions") or []
        if each.get("status") == "True" and each.get("message")
    ]
    return "; ".join(told)


def _has_endpoint(slices: list[Object]) -> bool:
    endpoints = [each for one in slices for each in one.get("endpoints") or []]
    return any((each.get("conditions") or {}).get("ready") is not False and each.get("addresses") for each in endpoints)


def _has_address(obj: Object) -> bool:
    return bool((status_of(obj).get("loadBalancer") or {}).get("ingress"))
