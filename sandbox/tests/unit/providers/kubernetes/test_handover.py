"""Fields that pass from the program to a controller or a person, and back.

The API server here follows server-side apply for the fields of `spec`. The last manager that sets a field owns it. An
equal value adds an owner; a different value is a conflict unless it is forced. A field that its owner no longer sends,
and that nobody else owns, is removed. https://kubernetes.io/docs/reference/using-api/server-side-apply/
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from mlp_sandbox.providers.kubernetes.cluster import Cluster
from mlp_sandbox.providers.kubernetes.connection import Answer
from mlp_sandbox.providers.kubernetes.errors import ApiError
from mlp_sandbox.providers.kubernetes.kinds import Kind, Object
from mlp_sandbox.providers.kubernetes.operations import Operations
from mlp_sandbox.providers.kubernetes.paths import put
from mlp_sandbox.providers.kubernetes.settings import Settings
from mlp_sandbox.providers.protocol import Resource

DEPLOYMENT = Kind("apps", "v1", "Deployment")
PROGRAM, AUTOSCALER, PERSON = "pulumi-kubernetes-1", "kube-controller-manager", "kubectl-patch"
FORCE = {"pulumi.com/patchForce": "true"}


class ApplyServer(Cluster):
    def __init__(self) -> None:
        self.spec: dict[str, Any] = {}
        self.owners: dict[str, set[str]] = {}

    def update(self, manager: str, **fields: Any) -> None:
        """Apply a PUT or PATCH of another manager: it becomes the only owner of changed fields; other owners stay."""
        for name, value in fields.items():
            if self.spec.get(name) != value:
                self.owners[name] = {manager}
        self.spec |= fields

    def live(self) -> Object:
        managers = sorted({each for owners in self.owners.values() for each in owners})
        fields = {each: {f"f:{name}": {} for name in self.owners if each in self.owners[name]} for each in managers}
        entries = [{"manager": each, "fieldsV1": {"f:spec": fields[each]}} for each in managers]
        metadata = {"name": "serving", "namespace": "growth-churn", "managedFields": entries}
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": dict(self.spec)}

    def get(self, kind: Kind, namespace: str, name: str, **_more: Any) -> Object | None:
        return self.live()

    def apply(
        self, kind: Kind, obj: Object, manager: str, *, force: bool = False, dry_run: bool = False, **_more: Any
    ) -> Answer:
        sent: dict[str, Any] = obj["spec"]
        taken = {name: self.owners.get(name, set()) - {manager} for name in sent if self.spec.get(name) != sent[name]}
        conflicts = [
            (f".spec.{name}", "FieldManagerConflict", f"conflict with {who!r}")
            for name, others in taken.items()
            for who in sorted(others)
        ]
        if conflicts and not force:
            raise ApiError(409, "Conflict", "Apply failed", causes=conflicts)
        before = dict(self.spec), {name: set(owners) for name, owners in self.owners.items()}
        for name in [*self.spec]:
            self.owners.setdefault(name, set()).discard(manager)
            if name not in sent and not self.owners[name]:
                del self.spec[name], self.owners[name]
        for name, value in sent.items():
            self.owners[name] = {manager} if name in taken else self.owners.get(name, set()) | {manager}
            self.spec[name] = value
        answer = Answer(json.dumps(self.live()).encode())
        if dry_run:
            self.spec, self.owners = before
        return answer


class Deployer:
    """The program's side of a deployment; `warned` collects its warnings."""

    def __init__(self, server: ApplyServer) -> None:
        self.server, self.warned = server, list[str]()
        self.on = Operations(server, Settings(), lambda _urn, _text: None, lambda _urn, text: self.warned.append(text))

    def _given(self, spec: dict[str, Any], forced: bool) -> Object:
        metadata = {"name": "serving", "namespace": "growth-churn", "annotations": FORCE if forced else {}}
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}

    def up(self, *, ignored: tuple[str, ...] = (), forced: bool = True, **spec: Any) -> dict[str, Any]:
        r = Resource("urn:serving", "kubernetes:apps/v1:Deployment", "serving", ignored=ignored)
        return self.on.update(r, DEPLOYMENT, self._given(spec, forced), PROGRAM, "growth-churn", "serving")["spec"]

    def preview(self, *, ignored: tuple[str, ...] = (), forced: bool = True, **spec: Any) -> dict[str, Any]:
        r = Resource("urn:serving", "kubernetes:apps/v1:Deployment", "serving", ignored=ignored)
        tried = self.on.try_update(r, DEPLOYMENT, self._given(spec, forced), PROGRAM, "growth-churn", "serving")
        assert tried is not None
        return tried["spec"]


@pytest.fixture
def server() -> ApplyServer:
    return ApplyServer()


@pytest.fixture
def deployer(server: ApplyServer) -> Deployer:
    return Deployer(server)


IGNORED = ("spec.replicas",)


def test_replicas_stay_when_an_autoscaler_is_added(server: ApplyServer, deployer: Deployer) -> None:
    deployer.up(replicas=4, image="a")
    assert deployer.preview(ignored=IGNORED, replicas=4, image="a")["replicas"] == 4
    assert deployer.up(ignored=IGNORED, replicas=4, image="a")["replicas"] == 4
    assert server.owners["replicas"] == {PROGRAM}


def test_the_program_disturbs_no_autoscaler_and_does_not_share_its_field(
    server: ApplyServer, deployer: Deployer
) -> None:
    deployer.up(replicas=4, image="a")
    server.update(AUTOSCALER, replicas=6)
    for image in ("b", "c"):
        assert deployer.up(ignored=IGNORED, replicas=4, image=image) == {"replicas": 6, "image": image}
    assert server.owners["replicas"] == {AUTOSCALER}
    assert deployer.warned == []


def test_the_programs_replicas_come_back_when_the_autoscaler_is_removed(
    server: ApplyServer, deployer: Deployer
) -> None:
    deployer.up(replicas=4, image="a")
    server.update(AUTOSCALER, replicas=6)
    deployer.up(ignored=IGNORED, replicas=4, image="a")
    assert deployer.preview(replicas=4, image="a")["replicas"] == 4
    assert deployer.up(replicas=4, image="a")["replicas"] == 4
    assert server.owners["replicas"] == {PROGRAM}


def test_a_field_that_is_shared_stays_shared(server: ApplyServer, deployer: Deployer) -> None:
    deployer.up(replicas=4)
    server.owners["replicas"].add(AUTOSCALER)
    deployer.up(ignored=IGNORED, replicas=2)
    assert server.spec["replicas"] == 4
    assert server.owners["replicas"] == {PROGRAM, AUTOSCALER}


def test_a_field_that_the_program_stops_naming_and_ignores_stays(server: ApplyServer, deployer: Deployer) -> None:
    deployer.up(replicas=4, image="a")
    assert deployer.up(ignored=IGNORED, image="b") == {"replicas": 4, "image": "b"}


def test_an_ignored_field_that_is_not_there_gets_the_programs_value(server: ApplyServer, deployer: Deployer) -> None:
    deployer.up(image="a")
    assert deployer.up(ignored=IGNORED, replicas=2, image="a")["replicas"] == 2


def test_what_a_person_changed_fails_no_preview_and_is_changed_back_with_a_word(
    server: ApplyServer, deployer: Deployer
) -> None:
    deployer.up(suspend=False, schedule="0 3 * * 1")
    server.update(PERSON, suspend=True)
    assert deployer.preview(suspend=False, schedule="0 4 * * 1") == {"suspend": False, "schedule": "0 4 * * 1"}
    assert server.spec["suspend"] is True, "a preview changes nothing"
    [warning] = deployer.warned
    assert ".spec.suspend (conflict with 'kubectl-patch')" in warning
    assert "changed back" in warning
    assert deployer.up(suspend=False, schedule="0 4 * * 1")["suspend"] is False
    assert len(deployer.warned) == 2


def test_without_the_annotation_it_is_a_conflict(server: ApplyServer, deployer: Deployer) -> None:
    deployer.up(suspend=False)
    server.update(PERSON, suspend=True)
    with pytest.raises(ApiError, match="Apply failed"):
        deployer.preview(forced=False, suspend=False)
    assert deployer.warned == []


def test_what_a_person_adds_beside_the_program_stays(server: ApplyServer, deployer: Deployer) -> None:
    deployer.up(image="a")
    server.update(PERSON, paused=True)
    assert deployer.up(image="b") == {"image": "b", "paused": True}
    assert deployer.warned == []


@pytest.mark.parametrize(
    ("path", "made"),
    [
        (("spec", "replicas"), {"spec": {"replicas": 3}, "items": [{}]}),
        (("metadata", "labels", "a"), {"metadata": {"labels": {"a": 3}}, "items": [{}]}),
        (("items", 0), {"items": [3]}),
        (("items", 1, "a"), {"items": [{}]}),
    ],
)
def test_a_value_is_put_where_no_section_is_yet_but_not_into_items_that_are_not_there(path: Any, made: Any) -> None:
    assert put({"items": [{}]}, path, 3) == made
