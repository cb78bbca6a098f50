"""Files that emulator and supervisor write for each other read back unchanged."""

from pathlib import Path

import pytest

from mlp_sandbox.clusters.exchange import Desired, PartStatus, ProgramPaths, SupervisorStatus
from mlp_sandbox.clusters.folder import ClusterFolder, cluster_folder
from mlp_sandbox.errors import SandboxError
from sandbox.tests.unit.clusters.clusters import GPU_TAINT, cluster, group, instance

PROGRAMS = ProgramPaths(version="1.36.3", paths={"etcd": "/opt/etcd"})


def test_a_cluster_comes_back_whole(tmp_path: Path):
    made = cluster(group("l4", instance(0), taints=(GPU_TAINT,), labels={"a": "b"}), group("general"))
    wanted = Desired(
        cluster=made, emulator_port=4566, programs=PROGRAMS, databases=("10.10.8.200",), database_ca="/tls/ca.pem"
    )
    (tmp_path / "desired.json").write_text(wanted.text())
    assert Desired.read(tmp_path / "desired.json") == wanted


@pytest.mark.parametrize("text", ["", "{}", '{"cluster": {"name": "x"}, "emulator_port": 1, "programs": {}}', "[]"])
def test_a_damaged_wish_is_an_error_that_names_the_file(tmp_path: Path, text: str):
    (tmp_path / "desired.json").write_text(text)
    with pytest.raises(SandboxError, match=r"desired\.json"):
        Desired.read(tmp_path / "desired.json")


def test_the_emulator_hears_of_ready_nodes_and_healthy_addons(tmp_path: Path):
    folder = ClusterFolder(tmp_path)
    status = SupervisorStatus(
        state="active",
        version="1.36.3",
        name="ml",
        endpoint="https://198.18.1.2",
        nodes={"a": PartStatus(state="ready", real=True), "b": PartStatus(state="joining")},
        addons={"coredns": PartStatus(state="healthy"), "metrics-server": PartStatus(state="unhealthy", reason="why")},
    )
    status.write(folder)
    read = SupervisorStatus.read(folder)
    assert read is not None
    assert read == status
    told = read.for_emulator()
    assert (told.state, told.endpoint) == ("active", "https://198.18.1.2")
    assert (told.ready_nodes, told.healthy_addons) == (frozenset({"a"}), frozenset({"coredns"}))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"components": []}'])
def test_a_status_that_is_not_whole_counts_as_none(tmp_path: Path, text: str):
    (tmp_path / "status.json").write_text(text)
    assert SupervisorStatus.read(ClusterFolder(tmp_path)) is None


def test_a_program_that_is_not_there_is_named():
    with pytest.raises(SandboxError, match="no program 'kubelet'"):
        PROGRAMS.path("kubelet")


@pytest.mark.parametrize("cluster_id", ["", "..", "a/b", "-x", "x" * 101])
def test_an_id_that_is_no_folder_name_is_refused(tmp_path: Path, cluster_id: str):
    with pytest.raises(SandboxError, match="cannot be used"):
        cluster_folder(tmp_path, cluster_id)
