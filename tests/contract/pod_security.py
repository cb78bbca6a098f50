"""Pod Security's `restricted` profile as a pure check of pod specifications.

https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from collections.abc import Iterator
from typing import Any

Spec = dict[str, Any]

# Volume types that `restricted` allows.
VOLUMES = {
    *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"),
}
SYSCTLS = {
    *("kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start"),
    *("net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range"),
}


def violations(spec: Spec) -> Iterator[str]:
    """Yield everything that the API server would reject in a namespace with `restricted` enforced."""
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(field):
            yield field
    for volume in spec.get("volumes") or []:
        for kind in sorted(set(volume) - {"name"} - VOLUMES):
            yield f"volume {volume['name']}: {kind}"
    pod = spec.get("securityContext") or {}
    for sysctl in pod.get("sysctls") or []:
        if sysctl["name"] not in SYSCTLS:
            yield f"sysctl {sysctl['name']}"
    for container in containers(spec):
        yield from (f"{container['name']}: {what}" for what in _container(container, pod))


def containers(spec: Spec) -> list[Spec]:
    return [each for group in ("initContainers", "containers") for each in spec.get(group) or []]


def _container(container: Spec, pod: Spec) -> Iterator[str]:
    own = container.get("securityContext") or {}
    if own.get("privileged"):
        yield "privileged"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation"
    capabilities = own.get("capabilities") or {}
    if "ALL" not in (capabilities.get("drop") or []):
        yield "capabilities are not dropped"
    if set(capabilities.get("add") or []) - {"NET_BIND_SERVICE"}:
        yield "capabilities are added"
    if own.get("runAsNonRoot", pod.get("runAsNonRoot")) is not True:
        yield "runAsNonRoot"
    if own.get("runAsUser", pod.get("runAsUser")) == 0:
        yield "runAsUser 0"
    profile = (own.get("seccompProfile") or pod.get("seccompProfile") or {}).get("type")
    if profile not in ("RuntimeDefault", "Localhost"):
        yield "seccompProfile"
    for port in container.get("ports") or []:
        if port.get("hostPort"):
            yield "hostPort"
