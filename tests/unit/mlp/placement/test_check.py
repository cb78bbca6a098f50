"""Manifests of a recorded program equal those that its provider would send, and a scheduler places them."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from mlp.console import PlainError
from mlp.placement import check as placement_check
from mlp.placement.check import Report, _manifest, check, read_manifests
from mlp.placement.findings import Placement
from mlp.placement.nodes import Declared
from mlp.placement.scheduler import NodeObject
from mlp.placement.workloads import Workload


def test_whole_numbers_are_written_as_such_however_deep_they_lie():
    spread = {"topologySpreadConstraints": [{"maxSkew": 1.0, "share": 0.5, "exact": True}]}
    declared = Declared(typ="kubernetes:core/v1:Pod", name="a", inputs={"spec": spread, "metadata": {}})
    [constraint] = _manifest(declared)["spec"]["topologySpreadConstraints"]
    assert repr(constraint) == "{'maxSkew': 1, 'share': 0.5, 'exact': True}"


def test_what_has_no_name_is_called_like_its_resource():
    assert _manifest(Declared(typ="kubernetes:core/v1:Pod", name="a", inputs={}))["metadata"] == {"name": "a"}


def test_the_scheduler_is_asked_where_the_given_control_plane_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The control plane runs while the scheduler works, in a folder that is removed afterwards."""
    seen: list[str] = []
    folders: list[Path] = []

    class Scheduler:
        def __init__(self, api: object, nodes: Sequence[NodeObject], report: Report) -> None:
            seen.append(f"{api} schedules {len(nodes)} nodes")

        def place(self, found: Sequence[Workload]) -> list[Placement]:
            seen.append("placed")
            return []

    @contextmanager
    def control_plane(folder: Path, report: Report) -> Generator[Path]:
        assert folder.is_dir()
        folders.append(folder)
        yield tmp_path / "kubeconfig"
        seen.append("stopped")

    monkeypatch.setattr(placement_check, "Scheduler", Scheduler)
    monkeypatch.setattr(placement_check.config, "new_client_from_config", lambda path: Path(path).name)
    result = check("dev", [], lambda _line: None, control_plane)
    assert seen == ["kubeconfig schedules 8 nodes", "placed", "stopped"]
    assert not folders[0].exists()
    assert {group.name for group in result.groups} == {"nodes-general-group", "nodes-l4-group"}


@pytest.mark.parametrize(
    ("content", "said"), [("kind: [", "is not YAML"), ("- 1\n", "no Kubernetes object"), (None, "cannot be read")]
)
def test_a_manifest_that_cannot_be_read_is_named(tmp_path: Path, content: str | None, said: str) -> None:
    path = tmp_path / "job.yaml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(PlainError, match=f"--manifest {path}: .*{said}"):
        read_manifests(path)
