"""The tag of an image depends on names, modes and contents of its files; a build sees exactly the same files."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from components.checkout import SourceError, listing
from components.images.sources import ROOT, ImageSource

SOURCE = ImageSource(
    dockerfile=PurePosixPath("Dockerfile"),
    paths=(PurePosixPath("shared"), PurePosixPath("app")),
    left_out=frozenset({"notes"}),
)


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    listing.cache_clear()
    yield
    listing.cache_clear()


def sources(root: Path, **files: str) -> Path:
    for folder in ("app", "shared"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "shared" / "library").write_text("library")
    (root / "Dockerfile").write_text("FROM scratch\n")
    for name, text in files.items():
        (root / "app" / name).write_text(text)
    return root


def track(root: Path) -> None:
    run_git(root, "init", "-q")
    run_git(root, "add", "--all")


def run_git(root: Path, *arguments: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    subprocess.run(["git", *arguments], cwd=root, env=environment, check=True)


def tag(root: Path) -> str:
    listing.cache_clear()
    return SOURCE.tag(root)


def test_the_same_sources_have_the_same_tag_wherever_they_lie(tmp_path: Path):
    assert tag(sources(tmp_path / "one", main="x")) == tag(sources(tmp_path / "two", main="x"))


def test_a_clone_and_an_unpacked_release_have_the_same_tag(tmp_path: Path):
    track(sources(tmp_path / "clone", main="x"))
    assert tag(tmp_path / "clone") == tag(sources(tmp_path / "release", main="x"))


@pytest.mark.parametrize("change", [{"main": "y"}, {"main": "x", "more": ""}, {"renamed": "x"}])
def test_another_content_or_name_is_another_tag(change: dict[str, str], tmp_path: Path):
    assert tag(sources(tmp_path / "before", main="x")) != tag(sources(tmp_path / "after", **change))


def test_contents_that_change_places_are_another_tag(tmp_path: Path):
    one, two = sources(tmp_path / "one", a="1", b="2"), sources(tmp_path / "two", a="2", b="1")
    assert tag(one) != tag(two)


def test_an_executable_bit_is_another_tag(tmp_path: Path):
    before = tag(sources(tmp_path, main="x"))
    (tmp_path / "app" / "main").chmod(0o755)
    assert tag(tmp_path) != before


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o646])
def test_other_bits_are_the_umasks_business(tmp_path: Path, mode: int):
    before = tag(sources(tmp_path, main="x"))
    (tmp_path / "app" / "main").chmod(mode)
    assert tag(tmp_path) == before


def test_stray_files_of_a_clone_change_nothing_and_new_ones_do(tmp_path: Path):
    track(sources(tmp_path, main="x", **{".gitignore": "*.csv\n"}))
    before = tag(tmp_path)
    sources(tmp_path, **{"data.csv": "1,2"})
    assert tag(tmp_path) == before
    sources(tmp_path, **{"module": "new"})
    assert tag(tmp_path) != before


def test_only_names_at_the_top_are_left_out(tmp_path: Path):
    before = tag(sources(tmp_path, main="x"))
    sources(tmp_path, notes="n")
    assert tag(tmp_path) == before
    (tmp_path / "app" / "prompts").mkdir()
    (tmp_path / "app" / "prompts" / "notes").write_text("read by the model")
    assert tag(tmp_path) != before


def test_a_link_counts_by_where_it_leads(tmp_path: Path):
    one, two = sources(tmp_path / "one", a="same", b="same"), sources(tmp_path / "two", a="same", b="same")
    (one / "app" / "link").symlink_to("a")
    (two / "app" / "link").symlink_to("b")
    assert tag(one) != tag(two)


@pytest.mark.parametrize("target", ["main", "../shared/library", "../shared", "inner/../main", "other"])
def test_links_within_an_image_are_kept(tmp_path: Path, target: str):
    sources(tmp_path / "root", main="x")
    (tmp_path / "root" / "app" / "other").symlink_to("../shared/library")
    (tmp_path / "root" / "app" / "inner").mkdir()
    (tmp_path / "root" / "app" / "inner" / "file").touch()
    (tmp_path / "root" / "app" / "link").symlink_to(target)
    SOURCE.stage(tmp_path / "root", tmp_path / "staged")
    staged = tmp_path / "staged" / "app" / "link"
    assert str(staged.readlink()) == target
    assert staged.exists()


@pytest.mark.parametrize("target", ["../../secret", "../elsewhere", "/etc/hostname", "link", "notes", "gone"])
def test_a_link_out_of_the_image_is_refused_by_name(tmp_path: Path, target: str):
    sources(tmp_path / "root", main="x", notes="n")
    (tmp_path / "root" / "elsewhere").touch()
    (tmp_path / "secret").touch()
    (tmp_path / "root" / "app" / "link").symlink_to(target)
    with pytest.raises(
        SourceError, match=rf"image of Dockerfile: the link app/link leads to {target}, which is not in"
    ):
        SOURCE.tag(tmp_path / "root")


def test_a_folder_that_is_a_link_is_refused(tmp_path: Path):
    root = sources(tmp_path, main="x")
    (root / "app").rename(root / "elsewhere")
    (root / "app").symlink_to("elsewhere")
    with pytest.raises(SourceError, match="app is a link; put the file or folder itself there"):
        SOURCE.tag(root)


def test_a_folder_that_became_a_link_within_the_image_is_built_as_a_link(tmp_path: Path):
    root = sources(tmp_path / "root", main="x")
    (root / "app" / "pkg").mkdir()
    (root / "app" / "pkg" / "a.py").write_text("a")
    track(root)
    before = tag(root)
    (root / "app" / "pkg").rename(root / "app" / "pkg2")
    (root / "app" / "pkg").symlink_to("pkg2")
    assert tag(root) != before
    SOURCE.stage(root, tmp_path / "staged")
    assert (tmp_path / "staged" / "app" / "pkg").readlink() == Path("pkg2")
    assert (tmp_path / "staged" / "app" / "pkg" / "a.py").read_text() == "a"
    assert tag(tmp_path / "staged") == tag(root)


def test_a_folder_above_the_image_that_became_a_link_is_named(tmp_path: Path):
    root = sources(tmp_path, main="x")
    track(root)
    (root / "app").rename(root / "elsewhere")
    (root / "app").symlink_to("elsewhere")
    below = ImageSource(dockerfile=PurePosixPath("Dockerfile"), paths=(PurePosixPath("app/main"),))
    with pytest.raises(SourceError, match="image of Dockerfile: app is a link; put the file or folder itself there"):
        below.files(root)


def test_a_file_that_cannot_be_read_is_told_in_a_sentence():
    """Nothing is mapped at the start of a process's memory, so reading there fails for every user, root too."""
    with pytest.raises(SourceError, match="/proc/self/mem cannot be read: Input/output error; an image is made of it"):
        ImageSource(dockerfile=PurePosixPath("self/mem"), paths=()).tag(Path("/proc"))


def test_clones_with_other_line_endings_have_the_same_tag(tmp_path: Path):
    root = sources(tmp_path / "root", main="one\ntwo\n")
    shutil.copyfile(ROOT / ".gitattributes", root / ".gitattributes")
    (root / "app" / "table.parquet").write_bytes(b"PAR1\r\n")
    track(root)
    settings = ("-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "core.autocrlf=true")
    run_git(root, *settings, "commit", "-q", "-m", "one")
    run_git(tmp_path, *settings, "clone", "-q", "--config", "core.autocrlf=true", "root", "windows")
    assert tag(tmp_path / "windows") == tag(root)


@pytest.mark.parametrize("missing", ["Dockerfile", "shared/library"])
def test_a_path_that_is_not_there_is_named(tmp_path: Path, missing: str):
    track(sources(tmp_path, main="x"))
    (tmp_path / missing).unlink()
    with pytest.raises(SourceError, match=f"image of Dockerfile: there is no {missing.split('/')[0]}"):
        SOURCE.tag(tmp_path)


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


def test_a_build_sees_what_the_tag_covers_with_its_modes_and_nothing_else(tmp_path: Path, umask: None):
    root, folder = sources(tmp_path / "root", main="x", notes="n"), tmp_path / "staged"
    sources(root, **{"prepare.sh": "#!/bin/sh\n"})
    (root / "app" / "prepare.sh").chmod(0o700)
    (root / "secret").write_text("s")
    SOURCE.stage(root, folder)
    staged = {str(path.relative_to(folder)): path.stat().st_mode & 0o777 for path in folder.rglob("*")}
    assert staged == {
        **{"Dockerfile": 0o644, "app": 0o755, "app/main": 0o644, "app/prepare.sh": 0o755},
        **{"shared": 0o755, "shared/library": 0o644},
    }
    assert folder.stat().st_mode & 0o777 == 0o755
    assert SOURCE.tag(folder) == SOURCE.tag(root)
