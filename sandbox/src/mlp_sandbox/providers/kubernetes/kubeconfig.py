"""Kubeconfig of a provider, given as text or as a path, and the cluster and user that it selects.

https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
"""

from __future__ import annotations

import base64
import os
import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from kubernetes.config.kube_config import KubeConfigMerger

from mlp_sandbox.providers.kubernetes.errors import CredentialsError

Entry = dict[str, Any]
DEFAULT_PATH = "~/.kube/config"


@dataclass(frozen=True)
class Target:
    """Parameters of requests. `folder` is the base of relative paths in the kubeconfig."""

    server: str
    namespace: str
    cluster: Entry = field(repr=False)
    user: Entry = field(repr=False)
    user_name: str = ""
    folder: Path = Path()


def load(given: str) -> tuple[Entry, Path]:
    """Return a kubeconfig and the base folder of its relative paths.

    Raises:
        CredentialsError: it cannot be read; the message names the field.
    """
    text = given.strip()
    if "\n" in text or text.startswith("{") or "clusters:" in text:
        return _entry(text, "its text"), Path()
    paths = text or os.environ.get("KUBECONFIG") or DEFAULT_PATH
    found = [Path(each).expanduser() for each in paths.split(os.pathsep) if each]
    there = [path for path in found if path.is_file()]
    if not there:
        raise CredentialsError(f"kubeconfig: there is no file {' or '.join(map(str, found))}")
    if len(there) == 1:
        return _entry(there[0].read_text(), str(there[0])), there[0].resolve().parent
    merged: Any = KubeConfigMerger(os.pathsep.join(map(str, there))).config
    return merged.value, Path()


def target(config: Entry, folder: Path, *, context: str = "", cluster: str = "", namespace: str = "") -> Target:
    """Return the chosen context's cluster and user.

    Raises:
        CredentialsError: an entry is missing; the message names it.
    """
    chosen = context or config.get("current-context") or ""
    if not chosen:
        raise CredentialsError("kubeconfig: it has no current-context; set it, or the provider's input 'context'")
    of_context = _named(config, "contexts", "context", chosen)
    cluster_name = cluster or str(of_context.get("cluster") or "")
    found = _named(config, "clusters", "cluster", cluster_name)
    if not found.get("server"):
        raise CredentialsError(f"kubeconfig: cluster '{cluster_name}' has no server")
    user_name = str(of_context.get("user") or "")
    user = _named(config, "users", "user", user_name) if user_name else {}
    server = str(found["server"]).rstrip("/")
    return Target(server, namespace or of_context.get("namespace") or "default", found, user, user_name, folder)


def active_cluster(given: Any, context: Any, cluster: Any) -> Entry | None:
    """Return the cluster that a provider's inputs select, for comparison with another; None when they select none."""
    try:
        config, _ = load(given if isinstance(given, str) else "")
        chosen = context if isinstance(context, str) and context else str(config.get("current-context") or "")
        name = (
            cluster
            if isinstance(cluster, str) and cluster
            else _named(config, "contexts", "context", chosen)["cluster"]
        )
        return _named(config, "clusters", "cluster", name)
    except (CredentialsError, KeyError):
        return None


def ssl_context(to: Target) -> ssl.SSLContext:
    """Return a context that trusts the cluster's authority and has the user's client certificate, if any."""
    if to.cluster.get("insecure-skip-tls-verify") is True:
        made = ssl.create_default_context()
        made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    else:
        authority = _data(to, to.cluster, "certificate-authority")
        made = ssl.create_default_context(cadata=authority.decode() if authority else None)
    certificate, key = _data(to, to.user, "client-certificate"), _data(to, to.user, "client-key")
    if certificate and key:
        # Python reads them from files only; the files are deleted before the first request.
        with tempfile.NamedTemporaryFile() as one, tempfile.NamedTemporaryFile() as other:
            for file, content in ((one, certificate), (other, key)):
                file.write(content)
                file.flush()
            made.load_cert_chain(one.name, other.name)
    return made


def _data(to: Target, entry: Entry, name: str) -> bytes | None:
    if content := entry.get(f"{name}-data"):
        try:
            return base64.b64decode(content)
        except ValueError as error:
            raise CredentialsError(f"kubeconfig: {name}-data is not base64: {error}") from error
    if not (path := entry.get(name)):
        return None
    try:
        return (to.folder / path).read_bytes()
    except OSError as error:
        raise CredentialsError(f"kubeconfig: {name} cannot be read: {error}") from error


def _entry(text: str, where: str) -> Entry:
    try:
        config = yaml.safe_load(text)
    except yaml.YAMLError as error:
        # The error's own text quotes the document, which may contain a token.
        place = getattr(error, "problem_mark", None)
        raise CredentialsError(
            f"kubeconfig: {where} is not YAML{f' (line {place.line + 1})' if place else ''}"
        ) from None
    if not isinstance(config, dict):
        raise CredentialsError(f"kubeconfig: {where} is not a kubeconfig, but a {type(config).__name__}")
    return config


def _named(config: Entry, section: str, key: str, name: str) -> Entry:
    for each in config.get(section) or []:
        if each.get("name") == name:
            return dict(each.get(key) or {})
    known = ", ".join(str(each.get("name")) for each in config.get(section) or []) or "none"
    raise CredentialsError(f"kubeconfig: there is no {key} '{name}' (it has: {known})")
