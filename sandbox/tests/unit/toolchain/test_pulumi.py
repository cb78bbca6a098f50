"""Choice of the Pulumi engine, which is built at most once."""

from pathlib import Path

import pytest

from mlp.machine.tool import words
from mlp_sandbox.errors import SandboxError
from mlp_sandbox.toolchain import ensure_pulumi, find_pulumi, pulumi
from sandbox.tests.unit.toolchain.programs import fake_go, fake_pulumi, program

NEEDED = words(pulumi.required_version())
BUILDS_AN_ENGINE = f'printf \'#!/bin/sh\\necho v{NEEDED}\\n\' > "$target"; chmod +x "$target"'


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the first folder on PATH. There is neither pulumi nor go, and the cache is empty."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("MLP_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "bin"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ((3, 259, 0), True),
        ((3, 260), True),
        ((3, 300, 1), True),
        ((3, 258, 9), False),
        ((2, 300, 0), False),
        ((4, 0, 0), False),
    ],
)
def test_an_engine_fits_from_the_sdks_version_on_within_its_major(found: tuple[int, ...], expected: bool) -> None:
    assert pulumi.fits(found, (3, 259, 0)) == expected


def test_the_engine_that_is_built_is_the_one_of_the_sdk() -> None:
    assert f"github.com/pulumi/pulumi/pkg/v3 v{NEEDED} " in (pulumi.MODULE / "go.mod").read_text()


def test_an_official_engine_that_fits_is_used(path: Path) -> None:
    official = fake_pulumi(path, f"v{NEEDED}")
    tool = ensure_pulumi(pytest.fail)
    assert (tool.path, tool.version, tool.origin) == (official, NEEDED, "found on PATH")


@pytest.mark.parametrize("reason", ["too old", "no language host", "does not start", "linked by an emulated account"])
def test_an_engine_that_does_not_fit_is_passed_over(path: Path, reason: str) -> None:
    match reason:
        case "too old":
            fake_pulumi(path, "v3.1.0")
        case "no language host":
            fake_pulumi(path, f"v{NEEDED}", language_host=False)
        case "does not start":
            fake_pulumi(path, f"v{NEEDED}")
            program(path / "pulumi", "exit 1")
        case _:
            fake_pulumi(path, f"v{NEEDED}")
            (path.parent / "sandbox.json").write_text("{}")
    assert find_pulumi() is None


def test_without_one_it_is_built_once_and_found_again(path: Path, tmp_path: Path) -> None:
    go = fake_go(path, "1.26.6", BUILDS_AN_ENGINE)
    said: list[str] = []
    tool = ensure_pulumi(said.append)
    assert (tool.version, tool.origin) == (NEEDED, "built from sandbox/toolchain/pulumi")
    assert tool.path.is_relative_to(tmp_path / "cache")
    assert any("usually" in line and NEEDED in line for line in said)
    go.unlink()
    assert ensure_pulumi(pytest.fail) == tool == find_pulumi()


def test_a_corrupt_engine_is_not_used_but_built_anew(path: Path) -> None:
    fake_go(path, "1.26.6", BUILDS_AN_ENGINE)
    tool = ensure_pulumi(print)
    good = tool.path.read_bytes()
    tool.path.write_bytes(good[:-3])
    assert find_pulumi() is None
    assert ensure_pulumi(print).path.read_bytes() == good


def test_an_engine_that_was_built_but_does_not_start_is_not_kept(path: Path, tmp_path: Path) -> None:
    fake_go(path, "1.26.6", 'printf \'exit 1\' > "$target"; chmod +x "$target"')
    with pytest.raises(SandboxError, match="does not start"):
        ensure_pulumi(print)
    assert not list((tmp_path / "cache").glob("pulumi-*"))


def test_a_failed_build_leaves_nothing_in_the_cache(path: Path, tmp_path: Path) -> None:
    fake_go(path, "1.26.6", 'printf half > "$target"; exit 1')
    with pytest.raises(SandboxError, match="`go build -v`"):
        ensure_pulumi(print)
    assert not list((tmp_path / "cache").glob("pulumi-*"))


def test_another_pin_is_another_entry(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_go(path, "1.26.6", BUILDS_AN_ENGINE)
    before = ensure_pulumi(print).path
    module = tmp_path / "module"
    module.mkdir()
    (module / "go.mod").write_text("module x\n\ngo 1.26\n")
    (module / "go.sum").write_text("")
    monkeypatch.setattr(pulumi, "MODULE", module)
    assert ensure_pulumi(print).path != before
