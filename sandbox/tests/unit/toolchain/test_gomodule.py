"""A pinned Go module is built once for each content of its pins, flags and own sources."""

from pathlib import Path

import pytest

from mlp_sandbox.errors import SandboxError
from mlp_sandbox.toolchain.gomodule import GoModule, pinned_version
from sandbox.tests.unit.toolchain.programs import fake_go

BUILDS_A_PROGRAM = 'printf "#!/bin/sh\\necho $name\\n" > "$target"; chmod +x "$target"'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a module of two commands; the fake Go counts its builds in the file `builds`."""
    fake_go(tmp_path / "bin", "1.26.6", f"{BUILDS_A_PROGRAM}; echo $name >> {tmp_path / 'builds'}")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("MLP_CACHE_DIR", str(tmp_path / "cache"))
    module = tmp_path / "module"
    (module / "one").mkdir(parents=True)
    (module / "go.mod").write_text("module m\n\ngo 1.26\n\nrequire (\n\texample.com/a v1.2.3 // indirect\n)\n")
    (module / "go.sum").write_text("sum\n")
    (module / "one" / "main.go").write_text("package main\n")
    return module


def module(folder: Path, **changes: dict[str, str] | tuple[str, ...]) -> GoModule:
    settings = {"commands": {"one": "./one", "server": "example.com/a/server/v3"}, **changes}
    return GoModule(name="m", title="the module M", usually="1 s", folder=folder, **settings)  # pyright: ignore[reportArgumentType]


def builds(folder: Path) -> int:
    return len((folder.parent / "builds").read_text().splitlines())


def test_it_is_built_once_and_found_again(folder: Path) -> None:
    said: list[str] = []
    assert module(folder).find() is None
    place = module(folder).ensure(said.append)
    assert sorted(path.name for path in place.iterdir()) == ["complete.json", "one", "server"]
    assert "Building the module M with Go 1.26.6 (usually 1 s)" in said
    assert module(folder).ensure(pytest.fail) == place == module(folder).find()
    assert builds(folder) == 2


@pytest.mark.parametrize("file", ["one", "server"])
def test_any_damaged_program_has_it_built_anew(folder: Path, file: str) -> None:
    place = module(folder).ensure(print)
    (place / file).write_text("damaged")
    assert module(folder).find() is None
    assert module(folder).ensure(print) == place
    assert "echo" in (place / file).read_text()


@pytest.mark.parametrize("change", ["go.mod", "go.sum", "stamps", "sources", "own source"])
def test_whatever_it_is_built_from_has_it_built_anew(folder: Path, change: str) -> None:
    sources = ("**/*.go",)
    before, stamps = module(folder, sources=sources).key(), dict[str, str]()
    match change:
        case "stamps":
            stamps = {"example.com/a.version": "v1"}
        case "sources":
            sources = ()
        case "own source":
            (folder / "one" / "main.go").write_text("package main // changed\n")
        case file:
            (folder / file).write_text((folder / file).read_text() + "// changed\n")
    assert module(folder, stamps=stamps, sources=sources).key() != before


def test_tests_are_no_part_of_what_is_built(folder: Path) -> None:
    before = module(folder, sources=("**/*.go",)).key()
    (folder / "one" / "main_test.go").write_text("package main\n")
    assert module(folder, sources=("**/*.go",)).key() == before


def test_own_sources_count_only_where_they_are_built(folder: Path) -> None:
    before = module(folder).key()
    (folder / "one" / "main.go").write_text("package main // changed\n")
    assert module(folder).key() == before


def test_stamps_are_written_by_the_linker(folder: Path) -> None:
    flags = module(folder, stamps={"a.version": "v1", "a.minor": "36"}).flags()
    assert flags == ["-trimpath", "-ldflags", "-s -w -X a.version=v1 -X a.minor=36"]


def test_a_program_that_does_not_start_is_not_kept(folder: Path) -> None:
    with pytest.raises(SandboxError, match=r"the module M: what was built does not start; delete .*cache"):
        module(folder).ensure(print, lambda place: False)
    assert module(folder).find() is None


def test_pins_are_read_from_go_mod(folder: Path) -> None:
    assert pinned_version(folder / "go.mod", "example.com/a") == "1.2.3"
    with pytest.raises(SandboxError, match=r"go.mod does not require example.com/b; restore the file"):
        pinned_version(folder / "go.mod", "example.com/b")
