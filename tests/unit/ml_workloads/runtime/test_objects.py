"""Objects of a project's own code are had by name, or it is said what is missing."""

from pathlib import Path

import pytest

from ml_workloads.runtime.objects import ObjectError, load_object


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_an_object_is_had_by_module_and_name(module: Path):
    (module / "shop_one.py").write_text("def train():\n    return 7\n")
    assert load_object("shop_one:train")() == 7


def test_a_module_or_a_name_that_is_missing_is_named(module: Path):
    (module / "shop_two.py").write_text("")
    with pytest.raises(ObjectError, match="shop_two:train: module shop_two has no train"):
        load_object("shop_two:train")
    with pytest.raises(ObjectError, match="there is no module shops in this image"):
        load_object("shops.training:train")


def test_an_error_inside_the_module_comes_as_it_is(module: Path):
    (module / "shop_three.py").write_text("import not_installed_anywhere\n")
    with pytest.raises(ModuleNotFoundError, match="not_installed_anywhere") as raised:
        load_object("shop_three:train")
    assert not isinstance(raised.value, ObjectError)
