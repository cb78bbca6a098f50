"""The cache of built tools: an entry is complete or absent, however the build ends."""

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mlp_sandbox.errors import SandboxError
from mlp_sandbox.toolchain import cache


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLP_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


class Maker:
    """Builder of a one-file tool that counts its calls."""

    def __init__(self, content: bytes = b"tool") -> None:
        self.content, self.calls = content, 0

    def __call__(self, folder: Path) -> list[str]:
        self.calls += 1
        (folder / "tool").write_bytes(self.content)
        (folder / "second").write_bytes(b"second")
        return ["tool", "second"]


def quiet(message: str) -> None:
    del message


def test_a_tool_is_made_once(folder: Path) -> None:
    make = Maker()
    first = cache.ensure("tool", "k", quiet, make)
    assert cache.ensure("tool", "k", quiet, make) == first == folder / "tool-k"
    assert make.calls == 1
    assert (first / "tool").read_bytes() == b"tool"


def test_other_content_is_another_entry() -> None:
    keys = {cache.content_key(b"a", b"b"), cache.content_key(b"ab", b""), cache.content_key(b"a", b"c")}
    assert len(keys) == 3


@pytest.mark.parametrize(
    "damage",
    [
        "truncated",
        "changed",
        "another file changed",
        "another file missing",
        "no manifest",
        "wrong manifest",
        "empty manifest",
    ],
)
def test_a_damaged_tool_is_made_anew_and_said_so(folder: Path, damage: str) -> None:
    make, said = Maker(), list[str]()
    place = cache.ensure("tool", "k", quiet, make)
    match damage:
        case "truncated":
            (place / "tool").write_bytes(b"too")
        case "changed":
            (place / "tool").write_bytes(b"tOol")
        case "another file changed":
            (place / "second").write_bytes(b"Second")
        case "another file missing":
            (place / "second").unlink()
        case "empty manifest":
            (place / cache.MANIFEST).write_text('{"files": {}}')
        case "no manifest":
            (place / cache.MANIFEST).unlink()
        case _:
            (place / cache.MANIFEST).write_text('{"file": ["tool"]}')
    assert not cache.intact(place)
    cache.ensure("tool", "k", said.append, make)
    assert make.calls == 2
    assert cache.intact(place)
    assert "damaged" in said[0]


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), SandboxError("no compiler"), ValueError("bug")])
def test_an_interrupted_build_leaves_nothing_and_the_next_one_works(folder: Path, failure: BaseException) -> None:
    def half(target: Path) -> list[str]:
        (target / "tool").write_bytes(b"to")
        raise failure

    with pytest.raises(type(failure)):
        cache.ensure("tool", "k", quiet, half)
    assert [path.name for path in folder.iterdir()] in ([], ["tool.lock"])
    assert cache.intact(cache.ensure("tool", "k", quiet, Maker()))


def test_a_tool_that_was_kept_as_one_file_is_still_used(folder: Path) -> None:
    place = cache.ensure("tool", "k", quiet, Maker())
    digest = hashlib.sha256(b"tool").hexdigest()
    (place / cache.MANIFEST).write_text(json.dumps({"file": "tool", "sha256": digest}))
    assert cache.intact(place)


def test_what_a_killed_build_left_is_swept_away(folder: Path) -> None:
    for name in ("tool-k.partial", "tool-older.partial", "other-k.partial"):
        (folder / name).mkdir(parents=True)
    cache.ensure("tool", "k", quiet, Maker())
    assert sorted(path.name for path in folder.glob("*.partial")) == ["other-k.partial"]


def test_a_second_set_up_waits_and_uses_what_the_first_made(folder: Path) -> None:
    making, go_on, make = threading.Event(), threading.Event(), Maker()
    said: list[str] = []

    def slow(target: Path) -> list[str]:
        making.set()
        assert go_on.wait(10)
        return make(target)

    first = threading.Thread(target=cache.ensure, args=("tool", "k", quiet, slow))
    first.start()
    assert making.wait(10)

    def hear(message: str) -> None:
        said.append(message)
        go_on.set()

    assert cache.intact(cache.ensure("tool", "k", hear, Maker(b"other")))
    first.join()
    assert make.calls == 1
    assert (folder / "tool-k" / "tool").read_bytes() == b"tool"
    assert "waiting" in said[0]


def test_a_killed_set_up_does_not_keep_the_lock(folder: Path) -> None:
    program = "import time; from pathlib import Path; from mlp_sandbox.toolchain import cache\n"
    program += "def make(folder): print('making', flush=True); time.sleep(60)\n"
    program += "cache.ensure('tool', 'k', print, make)"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=os.environ | _path()) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"making\n"
        process.kill()
    started = time.monotonic()
    assert cache.intact(cache.ensure("tool", "k", quiet, Maker()))
    assert time.monotonic() - started < 5
    assert not list(folder.glob("*.partial"))


def test_a_file_in_the_place_of_the_folder_is_named_with_the_way_out(folder: Path) -> None:
    folder.write_text("")
    with pytest.raises(SandboxError, match=rf"{folder} cannot be used: a file is in its place;.*MLP_CACHE_DIR"):
        cache.ensure("tool", "k", quiet, Maker())


def test_a_file_above_the_folder_is_named_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MLP_CACHE_DIR", str(tmp_path / "file" / "cache"))
    with pytest.raises(SandboxError, match="a part of that path is a file"):
        cache.ensure("tool", "k", quiet, Maker())


def test_a_read_only_cache_is_named_with_the_way_out(folder: Path) -> None:
    folder.mkdir(mode=0o555)
    user = os.geteuid()
    if user == 0:  # who may write anywhere
        os.seteuid(65534)
    try:
        with pytest.raises(SandboxError, match="no permission to write there"):
            cache.ensure("tool", "k", quiet, Maker())
    finally:
        os.seteuid(user)


@pytest.mark.parametrize(
    ("code", "words"), [(28, "the disk is full"), (30, "the file system is read-only"), (122, "quota")]
)
def test_a_disk_that_takes_no_more_is_said_in_one_line(folder: Path, code: int, words: str) -> None:
    def make(target: Path) -> list[str]:
        raise OSError(code, os.strerror(code), str(target))

    with pytest.raises(SandboxError, match=words) as caught:
        cache.ensure("tool", "k", quiet, make)
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value)


def test_without_a_name_in_the_environment_it_is_the_users_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLP_CACHE_DIR", raising=False)
    assert cache.cache_folder() == Path.home() / ".cache" / "ml-platform"


def _path() -> dict[str, str]:
    return {"PYTHONPATH": str(Path(cache.__file__).parents[2])}
