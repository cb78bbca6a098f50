"""Manifests that tests apply: pods meet Pod Security 'restricted' unless a test changes that."""

from __future__ import annotations

from typing import Any

from components.accelerators import NVIDIA

PYTHON = "public.ecr.aws/docker/library/python:3.11-slim"
# Of the images that can be had, this one has the AWS SDK in it.
WITH_SDK = "registry.k8s.io/autoscaling/cluster-autoscaler:v1.36.0"
GPU_TOLERATION = {"key": NVIDIA.resource, "operator": "Equal", "value": "true", "effect": "NoSchedule"}
SAYS_ITS_DEVICE = """
import os
print('device:', os.environ.get('NVIDIA_VISIBLE_DEVICES'))
print('simulated:', bool(os.environ.get('MLP_SIMULATED_ACCELERATOR')))
"""


def container(script: str, *, image: str = PYTHON, limits: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "name": "main",
        "image": image,
        "command": ["python3", "-u", "-c", script],
        "resources": {
            "requests": {"cpu": "20m", "memory": "32Mi"},
            "limits": {"memory": "256Mi", **(limits or {})},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        **more,
    }


def pod_spec(script: str, *, container_fields: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "containers": [container(script, **(container_fields or {}))],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 1000,
            "fsGroup": 1000,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "terminationGracePeriodSeconds": 1,
        **more,
    }


def job(name: str, namespace: str, script: str, **more: Any) -> dict[str, Any]:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"backoffLimit": 0, "template": {"spec": pod_spec(script, restartPolicy="Never", **more)}},
    }


def gpu_job(name: str, namespace: str, *, tolerated: bool) -> dict[str, Any]:
    """Return a job that requests one GPU and logs the assigned one."""
    return job(
        name,
        namespace,
        SAYS_ITS_DEVICE,
        container_fields={"limits": {NVIDIA.resource: "1"}},
        tolerations=[GPU_TOLERATION] if tolerated else [],
    )


def deployment(name: str, namespace: str, script: str, *, replicas: int = 1, **more: Any) -> dict[str, Any]:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod_spec(script, **more)},
        },
    }
