"""`mlp sandbox limits` lists everything that the provider plugin rejects."""

from __future__ import annotations

import pytest

from mlp_sandbox.limits import all_limits
from mlp_sandbox.providers.aws.resource import Handler
from mlp_sandbox.providers.aws.services import HANDLERS
from mlp_sandbox.providers.aws.services.iam.roles import Role

REFUSING = [handler for handler in HANDLERS.values() if handler.unsupported]


@pytest.mark.parametrize("handler", REFUSING, ids=lambda handler: handler.token)
def test_every_input_that_the_table_calls_refused_is_refused_with_what_to_do(handler: Handler) -> None:
    assert handler.unsupported.keys() <= handler.fields.keys()
    problems = handler.check(dict.fromkeys(handler.unsupported, "given"))
    for name, instead in handler.unsupported.items():
        assert any(field == name and instead in reason for field, reason in problems), name


@pytest.mark.parametrize("handler", REFUSING, ids=lambda handler: handler.token)
def test_every_refused_input_is_listed(handler: Handler) -> None:
    name = handler.token.rsplit(":", 1)[-1]
    listed = " ".join(entry["what"] for entry in all_limits() if f".{name}: " in entry["what"])
    assert all(field in listed for field in handler.unsupported)


def test_an_empty_list_of_inline_policies_is_refused_too() -> None:
    assert "inlinePolicies" in dict(Role().check({"inlinePolicies": []}))


def test_no_entry_is_there_twice() -> None:
    entries = [(entry["service"], entry["what"], entry["effect"]) for entry in all_limits()]
    assert len(set(entries)) == len(entries)
