"""Database addresses for a cluster: the previous ones until the next poll, and never an empty set by accident."""

import logging
from pathlib import Path

import pytest

from mlp_sandbox.clusters.dataplane import EksDataPlane
from mlp_sandbox.clusters.exchange import Desired, ProgramPaths
from mlp_sandbox.clusters.folder import ClusterFolder
from mlp_sandbox.databases.postgres import PostgresDataPlane
from sandbox.tests.unit.clusters.clusters import cluster

LOG = logging.getLogger("test")


class Databases:
    ca_bundle = Path("ca.pem")

    def __init__(self, found: tuple[str, ...] | None) -> None:
        self.found = found

    def addresses_in(self, vpc_id: str) -> tuple[str, ...] | None:
        return self.found


@pytest.mark.parametrize(
    ("found", "told"), [(None, ("10.0.0.7",)), ((), ()), (("10.0.0.9",), ("10.0.0.9",))], ids=["unknown", "none", "new"]
)
def test_a_cluster_keeps_the_addresses_of_before_until_somebody_has_looked(
    tmp_path: Path, found: tuple[str, ...] | None, told: tuple[str, ...]
):
    folder = ClusterFolder(tmp_path / "cluster")
    folder.make()
    programs = ProgramPaths(version="1", paths={"kubelet": "/bin/true"})
    before = Desired(cluster=cluster(), emulator_port=1, programs=programs, databases=("10.0.0.7",))
    folder.desired.write_text(before.text())
    plane = EksDataPlane(tmp_path, LOG, 1, databases=Databases(found))
    assert plane._addresses(folder, "vpc-1") == told


def test_a_new_cluster_has_none(tmp_path: Path):
    plane = EksDataPlane(tmp_path, LOG, 1, databases=Databases(None))
    assert plane._addresses(ClusterFolder(tmp_path / "new"), "vpc-1") == ()


def test_a_plane_that_has_not_looked_says_so_and_one_that_has_names_what_there_is(tmp_path: Path):
    plane = PostgresDataPlane(tmp_path / "home", LOG)
    assert plane.addresses_in("vpc-1") is None
    plane.reconcile([])
    try:
        assert plane.addresses_in("vpc-1") == ()
    finally:
        plane.close()
