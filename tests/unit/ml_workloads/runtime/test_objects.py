"""Loading of objects by name from a project's code, with messages for missing ones."""

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


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("shop_three", "import not_installed_anywhere\n", "imports not_installed_anywhere, which is not in this image"),
        ("shop_four", "def train(inputs, target)\n    return 1\n", r"no Python that can be read: .* line 1\)"),
        ("shop_five", "def trains(inputs, target): ...\n", "module shop_five has no train, but trains"),
    ],
)
def test_a_module_that_cannot_be_imported_is_told_with_what_is_missing(module: Path, name: str, code: str, said: str):
    (module / f"{name}.py").write_text(code)
    with pytest.raises(ObjectError, match=said):
        load_object(f"{name}:train")


def test_an_exception_that_the_module_raises_comes_as_it_is(module: Path):
    (module / "shop_six.py").write_text("raise RuntimeError('no licence')\n")
    with pytest.raises(RuntimeError, match="no licence"):
        load_object("shop_six:train")
