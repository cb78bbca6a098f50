"""The provider's inputs, its kubeconfig, and detection of a change to another cluster."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlp_sandbox.providers.kubernetes.errors import CredentialsError
from mlp_sandbox.providers.kubernetes.kubeconfig import load, ssl_context, target
from mlp_sandbox.providers.kubernetes.limits import plugin_limits
from mlp_sandbox.providers.kubernetes.settings import REFUSED, problems, replaces, settings_of
from mlp_sandbox.providers.values import UNKNOWN


def config(server: str = "https://10.0.0.1", user: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": "one", "cluster": {"server": server}},
            {"name": "two", "cluster": {"server": "https://10.0.0.2/"}},
        ],
        "users": [{"name": "me", "user": user or {"token": "planted-token"}}],
        "contexts": [
            {"name": "first", "context": {"cluster": "one", "user": "me", "namespace": "apps"}},
            {"name": "second", "context": {"cluster": "two", "user": "me"}},
        ],
        "current-context": "first",
        **more,
    }


def text(**more: Any) -> str:
    return yaml.safe_dump(config(**more))


def test_a_kubeconfig_is_text_or_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config"
    path.write_text(text())
    assert load(text())[0] == load(str(path))[0] == config()
    assert load(str(path))[1] == tmp_path
    monkeypatch.setenv("KUBECONFIG", str(path))
    assert load("")[0] == config()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("/nowhere/config", "there is no file /nowhere/config"),
        ("{", r"is not YAML \(line 1\)"),
        ("- clusters:\n- x", "is not a kubeconfig, but a list"),
    ],
)
def test_what_is_no_kubeconfig_is_said(given: str, said: str) -> None:
    with pytest.raises(CredentialsError, match=said):
        load(given)


def test_a_damaged_kubeconfig_is_not_quoted() -> None:
    with pytest.raises(CredentialsError) as refused:
        load('clusters:\n  token: planted-token "\n  - x: [')
    assert "planted-token" not in str(refused.value)


def test_the_chosen_context_gives_cluster_user_and_namespace() -> None:
    first, second = target(config(), Path()), target(config(), Path(), context="second")
    assert (first.server, first.namespace) == ("https://10.0.0.1", "apps")
    assert (second.server, second.namespace) == ("https://10.0.0.2", "default")
    assert target(config(), Path(), cluster="two", namespace="other").namespace == "other"
    assert "planted-token" not in repr(first)


@pytest.mark.parametrize(
    ("changes", "choice", "said"),
    [
        ({"current-context": ""}, {}, "it has no current-context"),
        ({}, {"context": "third"}, r"no context 'third' \(it has: first, second\)"),
        ({}, {"cluster": "three"}, "no cluster 'three'"),
        ({"users": None}, {}, r"no user 'me' \(it has: none\)"),
        ({"server": ""}, {}, "cluster 'one' has no server"),
    ],
)
def test_what_is_missing_is_named(changes: Any, choice: Any, said: str) -> None:
    with pytest.raises(CredentialsError, match=said):
        target(config(**changes), Path(), **choice)


@pytest.mark.parametrize(
    ("old", "new", "replaced"),
    [
        ({"kubeconfig": text()}, {"kubeconfig": text(user={"token": "b"})}, []),
        ({"kubeconfig": text()}, {"kubeconfig": text(server="https://10.9.9.9")}, ["kubeconfig"]),
        ({"kubeconfig": text()}, {"kubeconfig": text(), "context": "second"}, ["context"]),
        ({"kubeconfig": text()}, {"kubeconfig": UNKNOWN}, ["kubeconfig"]),
        ({"kubeconfig": text()}, {"kubeconfig": text(), "namespace": "x"}, []),
        ({"kubeconfig": "/nowhere"}, {"kubeconfig": text()}, []),
        (
            {"kubeconfig": text(), "clusterIdentifier": "a"},
            {"kubeconfig": UNKNOWN, "clusterIdentifier": "a"},
            [],
        ),
        (
            {"kubeconfig": text(), "clusterIdentifier": "a"},
            {"kubeconfig": text(), "clusterIdentifier": "b"},
            ["clusterIdentifier"],
        ),
        ({"kubeconfig": text()}, {"kubeconfig": text(), "clusterIdentifier": "a"}, []),
    ],
)
def test_only_another_cluster_replaces_what_is_on_it(old: Any, new: Any, replaced: list[str]) -> None:
    changed = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
    assert replaces(old, new, changed) == replaced


def test_flags_come_from_inputs_or_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_K8S_DELETE_UNREACHABLE", "true")
    assert settings_of({}).delete_unreachable
    assert not settings_of({"deleteUnreachable": False}).delete_unreachable
    assert settings_of({"enableSecretMutable": "true"}).mutable == {"Secret"}
    assert settings_of({"enablePatchForce": True}).force


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"enableServerSideApply": False}, "objects are applied on the server only here"),
        ({"renderYamlToDirectory": "out"}, "manifests are not rendered here"),
        ({"kubeConfig": "x"}, "the input 'kubeConfig': is not known"),
    ],
)
def test_inputs_that_are_not_done_are_refused(given: Any, said: str) -> None:
    ((_, reason),) = problems(given)
    assert said in reason


def test_every_input_that_is_refused_is_one_of_the_listed_limits() -> None:
    listed = {entry["what"]: entry["effect"] for entry in plugin_limits()}
    for name, reason in REFUSED.items():
        ((found, said),) = problems({name: False if name == "enableServerSideApply" else "given"})
        assert found == name
        assert reason in said
        assert reason in listed[f"the input {name} of the kubernetes provider"]


def test_inputs_that_are_done_or_change_nothing_are_taken() -> None:
    assert problems({"kubeconfig": UNKNOWN, "enableServerSideApply": True, "kubeClientSettings": {}}) == []


def test_a_client_key_leaves_no_file_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    data = base64.b64encode(b"no certificate").decode()
    user = {"client-certificate-data": data, "client-key-data": data}
    with pytest.raises(OSError, match=r"SSL|PEM"):
        ssl_context(target(config(user=user), Path()))
    assert list(tmp_path.iterdir()) == []
