"""KWOK stages for simulated nodes and their pods: nodes become ready, pods run, and pods of Jobs complete.

https://kwok.sigs.k8s.io/docs/user/stages-configuration/
"""

from __future__ import annotations

import json
from typing import Any

JOB_SECONDS = 5
NOTE = "simulated: nothing runs, the pod only has its place on a simulated node"

_NODE_STATUS = """
{{ $now := Now | Quote }}
conditions:
{{ range NodeConditions }}
- {type: {{ .type | Quote }}, status: {{ .status | Quote }}, reason: {{ .reason | Quote }},
   message: "simulated by KWOK", lastHeartbeatTime: {{ $now }}, lastTransitionTime: {{ $now }}}
{{ end }}
"""

_POD_STATUS = f"""
{{{{ $now := Now | Quote }}}}
phase: Running
message: "{NOTE}"
startTime: {{{{ $now }}}}
conditions:
- {{type: PodScheduled, status: "True", lastTransitionTime: {{{{ $now }}}}}}
- {{type: Initialized, status: "True", lastTransitionTime: {{{{ $now }}}}}}
- {{type: ContainersReady, status: "True", lastTransitionTime: {{{{ $now }}}}}}
- {{type: Ready, status: "True", lastTransitionTime: {{{{ $now }}}}}}
{{{{ range .spec.readinessGates }}}}
- {{type: {{{{ .conditionType | Quote }}}}, status: "True", lastTransitionTime: {{{{ $now }}}}}}
{{{{ end }}}}
initContainerStatuses:
{{{{ range .spec.initContainers }}}}
- name: {{{{ .name | Quote }}}}
  image: {{{{ .image | Quote }}}}
  imageID: ""
  ready: true
  restartCount: 0
{{{{ if eq (or .restartPolicy "") "Always" }}}}
  started: true
  state: {{running: {{startedAt: {{{{ $now }}}}}}}}
{{{{ else }}}}
  state: {{terminated: {{exitCode: 0, reason: Completed, startedAt: {{{{ $now }}}}, finishedAt: {{{{ $now }}}}}}}}
{{{{ end }}}}
{{{{ end }}}}
containerStatuses:
{{{{ range .spec.containers }}}}
- name: {{{{ .name | Quote }}}}
  image: {{{{ .image | Quote }}}}
  imageID: ""
  ready: true
  started: true
  restartCount: 0
  state: {{running: {{startedAt: {{{{ $now }}}}}}}}
{{{{ end }}}}
{{{{ with NodeIPWith .spec.nodeName }}}}
hostIP: {{{{ . | Quote }}}}
hostIPs: [{{ip: {{{{ . | Quote }}}}}}]
{{{{ end }}}}
{{{{ $host := or .spec.hostNetwork false }}}}
{{{{ with PodIPWith .spec.nodeName $host (or .metadata.uid "") .metadata.name .metadata.namespace }}}}
podIP: {{{{ . | Quote }}}}
podIPs: [{{ip: {{{{ . | Quote }}}}}}]
{{{{ end }}}}
"""

_COMPLETED_STATUS = """
{{ $now := Now | Quote }}
phase: Succeeded
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: false
  started: false
  restartCount: 0
  state: {terminated: {exitCode: 0, reason: Completed, startedAt: {{ $now }}, finishedAt: {{ $now }}}}
{{ end }}
"""


def configuration() -> str:
    """Return the content of KWOK's configuration file: one document per stage, in JSON, which is valid YAML."""
    ready = '.status.conditions.[] | select( .type == "Ready" ) | .status'
    alive = {"key": ".metadata.deletionTimestamp", "operator": "DoesNotExist"}
    stages = [
        _stage("node-ready", "Node", [{"key": ready, "operator": "NotIn", "values": ["True"]}], _NODE_STATUS),
        _stage(
            "pod-runs",
            "Pod",
            [
                alive,
                {"key": ".status.phase", "operator": "In", "values": ["Pending"]},
                {"key": ready, "operator": "NotIn", "values": ["True"]},
            ],
            _POD_STATUS,
        ),
        _stage(
            "job-ends",
            "Pod",
            [
                alive,
                {"key": ".status.phase", "operator": "In", "values": ["Running"]},
                {"key": ".metadata.ownerReferences.[].kind", "operator": "In", "values": ["Job"]},
            ],
            _COMPLETED_STATUS,
            seconds=JOB_SECONDS,
        ),
        _stage("pod-ends", "Pod", [{"key": ".metadata.deletionTimestamp", "operator": "Exists"}], None),
    ]
    return "\n---\n".join(json.dumps(stage, indent=1) for stage in stages)


def _stage(
    name: str, kind: str, expressions: list[dict[str, Any]], status: str | None, *, seconds: int = 0
) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "resourceRef": {"apiGroup": "v1", "kind": kind},
        "selector": {"matchExpressions": expressions},
        "next": {"delete": True} if status is None else {"statusTemplate": status},
    }
    if seconds:
        spec["delay"] = {"durationMilliseconds": seconds * 1000}
    return {"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "Stage", "metadata": {"name": name}, "spec": spec}
