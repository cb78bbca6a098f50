"""Folders for downloaded models: leftovers, and models that do not fit."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from ml_workloads.runtime.serving.scratch import Scratch, TooLargeError


@pytest.fixture
def volume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def fail(scratch: Scratch) -> None:
    with scratch.folder("4") as folder:
        (folder / "deep").mkdir()
        raise OSError("broken")


def test_a_folder_is_gone_after_a_load_and_after_a_failure(volume: Path):
    scratch = Scratch()
    with scratch.folder("3") as folder:
        (folder / "model").write_bytes(b"x")
    with pytest.raises(OSError, match="broken"):
        fail(scratch)
    assert [path for path in volume.rglob("*") if path.is_file() or path.name.startswith("version")] == []
    scratch.close()
    assert list(volume.iterdir()) == []


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_has_is_not(volume: Path):
    code = (
        "import os, sys; from ml_workloads.runtime.serving.scratch import Scratch\n"
        "with Scratch().folder('1') as folder:\n"
        "    (folder / 'model').write_bytes(b'x' * 1000); print(folder, flush=True); os.kill(os.getpid(), 9)"
    )
    environment = {**os.environ, "TMPDIR": str(volume)}
    killed = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert Path(killed.stdout.strip()).is_dir()
    (volume / "somebody's").mkdir()
    living = Scratch()
    with living.folder("1") as folder:
        other = Scratch()
        assert folder.is_dir()
        assert not Path(killed.stdout.strip()).exists()
        other.close()
    living.close()
    assert [path.name for path in volume.iterdir()] == ["somebody's"]


def test_a_version_that_does_not_fit_is_refused_with_both_sizes_and_the_setting():
    scratch = Scratch(size=10 * 1024**2)
    scratch.demand("7", 9 * 1024**2)
    with pytest.raises(TooLargeError, match=r"version 7 takes 9\.5 MiB, 9\.0 MiB .*SERVING_SCRATCH_BYTES"):
        scratch.demand("7", 9 * 1024**2 + 512 * 1024)
    scratch.close()
    boundless = Scratch(size=2**62)
    with pytest.raises(TooLargeError, match="GiB of the scratch volume are left"):
        boundless.demand("7", 2**60)
    boundless.close()
