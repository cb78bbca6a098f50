"""Web servers in a real cluster, and helpers that read their answers."""

import json

from sandbox.tests.live.clusters.real_cluster import PYTHON, RealCluster, wait_for

SERVE = """
import http.server, os, socket
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(socket.gethostname().encode())
http.server.ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()
"""


def deploy(cluster: RealCluster, name: str, replicas: int) -> None:
    """Deploy a web server behind a Service, spread over nodes; it answers with its pod's name."""
    labels = {"app": name}
    probe = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1}
    container = {
        "name": "main",
        "image": PYTHON,
        "command": ["python3", "-c", SERVE],
        "readinessProbe": probe,
        "livenessProbe": probe,
    }
    spread = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule"}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "containers": [container],
                    "topologySpreadConstraints": [{**spread, "labelSelector": {"matchLabels": labels}}],
                    "terminationGracePeriodSeconds": 1,
                },
            },
        },
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": 8080}]},
    }
    for manifest in (deployment, service):
        cluster.kubectl("apply", "-f", "-", stdin=json.dumps(manifest))
    wait_for(f"{name} is available", lambda: available(cluster, name) == replicas, 90)


def available(cluster: RealCluster, name: str) -> int:
    found = cluster.api.get(f"/apis/apps/v1/namespaces/default/deployments/{name}")
    return int(found["status"].get("availableReplicas", 0))


def pods_of(cluster: RealCluster, name: str) -> dict[str, str]:
    """Return the node name for each pod name."""
    pods = cluster.api.list("/api/v1/namespaces/default/pods", labelSelector=f"app={name}")
    return {pod["metadata"]["name"]: pod["spec"]["nodeName"] for pod in pods}


def answers(cluster: RealCluster, pod: str, url: str) -> str:
    code = f"import urllib.request; print(urllib.request.urlopen({url!r}, timeout=5).read().decode())"
    return cluster.kubectl("exec", pod, "--", "python3", "-c", code).strip()
