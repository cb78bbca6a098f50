"""An image is rebuilt when its sources change, and only then."""

from pathlib import Path

import pytest

from mlp_sandbox.clusters.images import recipes
from mlp_sandbox.clusters.images.recipes import recipe
from mlp_sandbox.errors import SandboxError


@pytest.fixture
def autoscaler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the program folder of the Cluster Autoscaler's stand-in."""
    folder = tmp_path / "cluster_autoscaler"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "__main__.py").write_text("print(1)\n")
    monkeypatch.setattr(recipes, "AUTOSCALER", folder)
    return folder


def test_the_same_inputs_are_the_same_image(autoscaler: Path) -> None:
    keys = {name: recipe(name).key for name in recipes.RECIPES}
    assert keys == {name: recipe(name).key for name in recipes.RECIPES}
    assert len(set(keys.values())) == len(keys)


def test_a_changed_program_is_another_image(autoscaler: Path) -> None:
    before = recipe("cluster-autoscaler").key
    (autoscaler / "__main__.py").write_text("print(2)\n")
    assert recipe("cluster-autoscaler").key != before
    (autoscaler / "__main__.py").rename(autoscaler / "other.py")
    with pytest.raises(SandboxError, match=r"has no __main__.py; restore the folder"):
        recipe("cluster-autoscaler")


def test_a_changed_base_is_another_image(autoscaler: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = recipe("cluster-autoscaler").key, recipe("pause").key
    monkeypatch.setattr(recipes.python_base, "PACKAGES", ("python3",))
    assert recipe("cluster-autoscaler").key != before[0]
    assert recipe("pause").key == before[1]


def test_the_autoscaler_can_be_started_as_upstreams_image_is(autoscaler: Path, tmp_path: Path) -> None:
    made, context = recipe("cluster-autoscaler"), tmp_path / "context"
    context.mkdir()
    made.fill(context, pytest.fail)
    start = context / "cluster-autoscaler"
    assert start.stat().st_mode & 0o111 == 0o111
    assert start.read_text().endswith('-m cluster_autoscaler "$@"\n')
    assert (context / "program" / "cluster_autoscaler" / "__main__.py").read_text() == "print(1)\n"
    assert "WORKDIR /\n" in made.dockerfile
    assert "--require-hashes" in made.dockerfile


@pytest.mark.parametrize("name", ["pause", "coredns", "metrics-server"])
def test_programs_that_need_no_rights_have_none(name: str) -> None:
    [user] = [line.split()[1] for line in recipe(name).dockerfile.splitlines() if line.startswith("USER ")]
    assert user.split(":")[0] not in ("0", "root")
