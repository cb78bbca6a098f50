"""The files that belong to a working tree, in every layout that git supports."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from components.checkout import FILE, LINK, PROGRAM, SourceError, files_below, listing
from components.images.sources import ROOT

TOP = PurePosixPath()


def git(folder: Path, *arguments: str) -> str:
    named = ("-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "protocol.file.allow=always")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(
        ["git", *named, *arguments], cwd=folder, env=environment, check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    listing.cache_clear()
    yield
    listing.cache_clear()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a repository that tracks `app/main` and a program."""
    root = tmp_path / "clone"
    (root / "app").mkdir(parents=True)
    (root / "app" / "main").write_text("x")
    (root / "app" / "prepare.sh").write_text("#!/bin/sh\n")
    (root / "app" / "prepare.sh").chmod(0o755)
    (root / ".gitignore").write_text("*.csv\nmlruns/\n")
    commit(root)
    return root


def commit(root: Path) -> None:
    if not (root / ".git").exists():
        git(root, "init", "-q")
    git(root, "add", "--all")
    git(root, "commit", "-q", "-m", "one")


def names(root: Path, path: PurePosixPath = TOP) -> set[str]:
    listing.cache_clear()
    return {str(each) for each in files_below(root, path)}


BEFORE = {".gitignore", "app/main", "app/prepare.sh"}


def test_tracked_files_come_with_their_modes(clone: Path):
    assert files_below(clone, PurePosixPath("app")) == {
        PurePosixPath("app/main"): FILE,
        PurePosixPath("app/prepare.sh"): PROGRAM,
    }


@pytest.mark.parametrize("stray", ["app/data.csv", "app/mlruns/0/meta.yaml", "app/__pycache__/m.py", "app/main.pyc"])
def test_what_git_ignores_or_python_compiles_does_not_count(clone: Path, stray: str):
    (clone / stray).parent.mkdir(parents=True, exist_ok=True)
    (clone / stray).write_text("stray")
    assert names(clone) == BEFORE


@pytest.mark.parametrize("new", ["app/new", "app/.streamlit/config.toml", "app/a name\twith\nsigns", "app/é"])
def test_new_files_count_whatever_their_names(clone: Path, new: str):
    (clone / new).parent.mkdir(exist_ok=True)
    (clone / new).write_text("new")
    assert names(clone) == {*BEFORE, new}


def test_a_file_that_git_ignores_but_tracks_counts(clone: Path):
    (clone / "app" / "table.csv").write_text("a,b\n")
    git(clone, "add", "--force", "app/table.csv")
    assert names(clone) == {*BEFORE, "app/table.csv"}


def test_a_deleted_file_is_gone_before_it_is_committed(clone: Path):
    (clone / "app" / "main").unlink()
    assert names(clone) == BEFORE - {"app/main"}


def test_a_bit_that_is_set_but_not_committed_counts(clone: Path):
    (clone / "app" / "main").chmod(0o755)
    assert files_below(clone, TOP)[PurePosixPath("app/main")] == PROGRAM


def test_where_the_file_system_keeps_no_bits_gits_own_count(clone: Path):
    git(clone, "config", "core.fileMode", "false")
    (clone / "app" / "prepare.sh").chmod(0o644)
    (clone / "app" / "main").chmod(0o755)
    (clone / "app" / "new").touch(mode=0o755)
    found = files_below(clone, PurePosixPath("app"))
    assert {path.name: mode for path, mode in found.items()} == {"main": FILE, "prepare.sh": PROGRAM, "new": FILE}


def test_where_the_file_system_keeps_no_links_gits_own_count(clone: Path):
    (clone / "app" / "link").symlink_to("main")
    commit(clone)
    git(clone, "config", "core.symlinks", "false")
    (clone / "app" / "link").unlink()
    (clone / "app" / "link").write_text("main")
    assert files_below(clone, TOP)[PurePosixPath("app/link")] == LINK


def test_a_subfolder_of_a_larger_repository_is_a_root_too(clone: Path):
    assert names(clone / "app") == {"main", "prepare.sh"}


def test_a_worktree_is_a_clone_too(clone: Path, tmp_path: Path):
    git(clone, "worktree", "add", "-q", str(tmp_path / "other"))
    (clone / "app" / "only-in-the-first").touch()
    assert names(tmp_path / "other") == BEFORE


@pytest.mark.parametrize("variable", ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"])
def test_variables_that_git_sets_for_hooks_name_no_other_repository(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
):
    other = tmp_path / "other"
    other.mkdir()
    (other / "foreign").touch()
    commit(other)
    place = {"GIT_WORK_TREE": other, "GIT_INDEX_FILE": other / ".git" / "index", "GIT_PREFIX": Path("app/")}
    monkeypatch.setenv(variable, str(place.get(variable, other / ".git")))
    assert names(clone) == BEFORE


def test_a_submodule_counts_by_its_own_files(clone: Path, tmp_path: Path):
    library = tmp_path / "library"
    library.mkdir()
    (library / "code").touch()
    commit(library)
    git(clone, "submodule", "--quiet", "add", str(library), "app/library")
    commit(clone)
    (clone / "app" / "library" / "new").touch()
    assert names(clone, PurePosixPath("app")) == {
        *("app/main", "app/prepare.sh"),
        *("app/library/code", "app/library/new"),
    }


def test_a_submodule_that_was_not_fetched_says_how_to_get_it(clone: Path, tmp_path: Path):
    library = tmp_path / "library"
    library.mkdir()
    (library / "code").touch()
    commit(library)
    git(clone, "submodule", "--quiet", "add", str(library), "app/library")
    commit(clone)
    git(tmp_path, "clone", "-q", str(clone), "again")
    with pytest.raises(SourceError, match=r"app/library is a submodule .* `git submodule update --init app/library`"):
        files_below(tmp_path / "again", TOP)


def test_a_repository_inside_that_is_not_tracked_counts_by_its_files(clone: Path):
    inner = clone / "app" / "inner"
    inner.mkdir()
    (inner / "code").touch()
    commit(inner)
    assert names(clone, PurePosixPath("app/inner")) == {"app/inner/code"}


def test_a_sparse_checkout_that_lacks_a_file_is_told(clone: Path):
    (clone / "other").mkdir()
    (clone / "other" / "file").touch()
    commit(clone)
    git(clone, "sparse-checkout", "set", "other")
    with pytest.raises(SourceError, match=r"app/main is left out .* `git sparse-checkout add app`"):
        files_below(clone, PurePosixPath("app"))
    assert names(clone, PurePosixPath("other")) == {"other/file"}


def test_without_gits_records_hidden_and_compiled_files_do_not_count(clone: Path):
    shutil.rmtree(clone / ".git")
    for stray in ("app/.hidden", "app/__pycache__/m.py", "app/.ipynb_checkpoints/n.ipynb"):
        (clone / stray).parent.mkdir(exist_ok=True)
        (clone / stray).touch()
    assert files_below(clone, PurePosixPath("app")) == {
        PurePosixPath("app/main"): FILE,
        PurePosixPath("app/prepare.sh"): PROGRAM,
    }


def test_a_release_unpacked_in_somebody_elses_repository_is_none_of_its_files(clone: Path):
    shutil.rmtree(clone / ".git")
    outer = clone.parent
    (outer / "notes").touch()
    (outer / ".gitignore").write_text("clone/\n")
    commit(outer)
    assert names(clone, PurePosixPath("app")) == {"app/main", "app/prepare.sh"}


def test_a_new_repository_with_nothing_added_yet_ignores_what_it_names(clone: Path):
    shutil.rmtree(clone / ".git")
    git(clone, "init", "-q")
    (clone / "app" / "data.csv").touch()
    (clone / "app" / ".hidden").touch()
    assert names(clone) == {*BEFORE, "app/.hidden"}
    assert names(clone / "app") == {"main", "prepare.sh", ".hidden"}


def test_a_new_repository_that_ignores_the_folder_is_somebody_elses(clone: Path):
    shutil.rmtree(clone / ".git")
    (clone.parent / ".gitignore").write_text("clone/\n")
    git(clone.parent, "init", "-q")
    assert names(clone, PurePosixPath("app")) == {"app/main", "app/prepare.sh"}


def test_what_git_tracks_in_a_folder_that_became_a_link_is_not_there(clone: Path):
    (clone / "app" / "deep").mkdir()
    (clone / "app" / "deep" / "code").touch()
    commit(clone)
    (clone / "app").rename(clone / "moved")
    (clone / "app").symlink_to("moved")
    moved = {"moved/main", "moved/prepare.sh", "moved/deep/code"}
    assert names(clone) == {".gitignore", "app", *moved}
    assert files_below(clone, PurePosixPath("app")) == {PurePosixPath("app"): LINK}


def test_a_submodule_that_became_a_link_is_a_link(clone: Path, tmp_path: Path):
    library = tmp_path / "library"
    library.mkdir()
    (library / "code").touch()
    commit(library)
    git(clone, "submodule", "--quiet", "add", str(library), "app/library")
    commit(clone)
    (clone / "app" / "library").rename(clone / "moved")
    (clone / "app" / "library").symlink_to("../moved")
    assert files_below(clone, PurePosixPath("app"))[PurePosixPath("app/library")] == LINK
    assert PurePosixPath("app/library/code") not in files_below(clone, PurePosixPath("app"))


def test_a_clone_without_git_installed_says_so(clone: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(SourceError, match="git is not on PATH"):
        files_below(clone, TOP)


def test_a_repository_that_git_cannot_read_is_no_release(clone: Path):
    (clone / ".git" / "index").write_bytes(b"damaged")
    with pytest.raises(SourceError, match=r"`git ls-files` in .* ended with exit code"):
        files_below(clone, TOP)


def test_git_is_asked_once_for_all_images(clone: Path, monkeypatch: pytest.MonkeyPatch):
    files_below(clone, TOP)
    monkeypatch.setenv("PATH", "")
    assert files_below(clone, PurePosixPath("app"))


LEFT_BEHIND = (
    *("Untitled.ipynb", "Untitled1.ipynb", ".ipynb_checkpoints/a.ipynb", "mlruns/0/meta.yaml", "mlflow.db"),
    *("build/lib/a.py", "dist/a.whl", "churn.egg-info/PKG-INFO", ".venv/pyvenv.cfg", "venv/pyvenv.cfg", ".env"),
    *("training.log", "model.py~", ".model.py.swp", ".DS_Store", ".coverage", "lightning_logs/0", "wandb/run"),
)


@pytest.mark.parametrize("folder", ["ml_workloads/projects/churn", "ml_workloads/runtime", "platform_services/mlflow"])
def test_what_tools_leave_behind_is_ignored_here(clone: Path, folder: str):
    shutil.copyfile(ROOT / ".gitignore", clone / ".gitignore")
    for stray in LEFT_BEHIND:
        (clone / folder / stray).parent.mkdir(parents=True, exist_ok=True)
        (clone / folder / stray).touch()
    (clone / folder / "exploration.ipynb").touch()
    assert names(clone, PurePosixPath(folder)) == {f"{folder}/exploration.ipynb"}
