"""Choice of the installed PostgreSQL that runs an instance."""

from pathlib import Path

import pytest

from mlp_sandbox.databases.postgres.binaries import PostgresInstall, choose_install, installed, substitution_note
from mlp_sandbox.databases.postgres.errors import DataPlaneError

INSTALLS = [PostgresInstall(major=major, bin=Path(f"/pg/{major}")) for major in (13, 15, 17)]


@pytest.mark.parametrize(("requested", "used"), [("15.4", 15), ("13", 13), ("16.2", 17), ("14.1", 15), ("11.9", 13)])
def test_the_requested_major_runs_else_the_nearest_and_of_two_the_newer(requested: str, used: int):
    assert choose_install(requested, None, INSTALLS).major == used


def test_data_decide_over_the_request():
    assert choose_install("17.1", 13, INSTALLS).major == 13


def test_data_of_a_version_that_is_gone_name_the_package():
    with pytest.raises(DataPlaneError, match=r"written by PostgreSQL 12.*apt-get install postgresql-12"):
        choose_install("15", 12, INSTALLS)


def test_a_machine_without_postgresql_names_the_package():
    with pytest.raises(DataPlaneError, match="PostgreSQL is not installed; on Debian: apt-get install postgresql"):
        choose_install("15.4", None, [])


def test_a_version_that_is_none_is_refused():
    with pytest.raises(DataPlaneError, match="engine_version 'newest' is not a PostgreSQL version"):
        choose_install("newest", None, INSTALLS)


def test_a_substitution_is_told_and_an_exact_match_is_not():
    assert substitution_note("15.4", INSTALLS[1]) is None
    assert "runs PostgreSQL 17 in place of 16.2" in str(substitution_note("16.2", INSTALLS[2]))


def _fake(folder: Path, major: int) -> None:
    folder.mkdir(parents=True)
    for program in ("postgres", "initdb"):
        (folder / program).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {major}.1 (Debian)'\n")
        (folder / program).chmod(0o755)


def test_installations_are_found_under_debians_root_and_on_path(tmp_path: Path):
    _fake(tmp_path / "root/14/bin", 14)
    _fake(tmp_path / "path", 16)
    (tmp_path / "root/15/bin").mkdir(parents=True)  # client only
    found = installed(tmp_path / "root", str(tmp_path / "path"))
    assert [(install.major, install.bin) for install in found] == [
        (14, tmp_path / "root/14/bin"),
        (16, tmp_path / "path"),
    ]


def test_nothing_installed_is_an_empty_list(tmp_path: Path):
    assert installed(tmp_path, str(tmp_path)) == []
