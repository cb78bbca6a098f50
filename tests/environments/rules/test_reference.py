"""docs/cli.md describes all commands, those of the sandbox included."""

from mlp.environments import ROOT
from mlp.reference import markdown


def test_the_committed_page_is_the_generated_one():
    page = (ROOT / "docs" / "cli.md").read_text()
    assert page == markdown(), "run: python -m mlp.reference > docs/cli.md"
