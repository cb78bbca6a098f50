"""The journal reads back its records and reports damage."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mlp_sandbox.emulator.journal import INLINE_LIMIT, Journal, JournalError
from mlp_sandbox.emulator.messages import Request

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def _append(journal: Journal, body: bytes) -> Request:
    request = Request(method="PUT", target="/b/ü%2F?x=1", headers=(("X-Amz-Meta-a_b", "ü"),), body=body)
    journal.append(request, moment=MOMENT, seed="5eed", name="s3:PutObject", keys=["pem"], status=404)
    return request


def _opened(folder: Path) -> Journal:
    journal = Journal(folder)
    journal.load()
    return journal


@pytest.mark.parametrize("body", [b"", "text ü\n".encode(), b"\xff\x00", b"\xff" * (INLINE_LIMIT + 1)])
def test_an_entry_comes_back_whole(tmp_path: Path, body: bytes):
    request = _append(_opened(tmp_path), body)
    journal = Journal(tmp_path)
    [entry] = journal.load()
    assert journal.complete(entry) == request
    assert (entry.moment, entry.seed, entry.name, entry.keys) == (MOMENT, "5eed", "s3:PutObject", ("pem",))
    assert entry.status == 404


def test_large_bodies_lie_beside_the_journal_and_equal_ones_once(tmp_path: Path):
    journal = _opened(tmp_path)
    for _ in range(2):
        _append(journal, b"x" * (INLINE_LIMIT + 1))
    assert len(list((tmp_path / "bodies").iterdir())) == 1
    assert journal.path.stat().st_size < INLINE_LIMIT


def test_the_origin_of_randomness_stays_the_same(tmp_path: Path):
    first, second = Journal(tmp_path), Journal(tmp_path)
    assert (first.base, first.born) == (second.base, second.born)


@pytest.mark.parametrize("lost", [1, 10, 200])
def test_a_torn_last_line_is_cut_off_and_writing_goes_on(tmp_path: Path, lost: int):
    journal = _opened(tmp_path)
    _append(journal, b"first")
    _append(journal, b"second")
    journal.path.write_bytes(journal.path.read_bytes()[:-lost])
    journal = Journal(tmp_path)
    assert [entry.request.body for entry in journal.load()] == [b"first"]
    _append(journal, b"third")
    assert [entry.request.body for entry in Journal(tmp_path).load()] == [b"first", b"third"]


@pytest.mark.parametrize("damaged", [0, 1])
def test_a_damaged_line_that_was_complete_is_an_error_with_file_and_line(tmp_path: Path, damaged: int):
    journal = _opened(tmp_path)
    for body in (b"body-0", b"body-1"):
        _append(journal, body)
    journal.path.write_bytes(journal.path.read_bytes().replace(b"body-%d" % damaged, b"b0dy-%d" % damaged))
    with pytest.raises(JournalError, match=f"journal.jsonl, line {damaged + 1}: damaged"):
        Journal(tmp_path).load()


def test_a_changed_body_file_is_an_error_that_names_it(tmp_path: Path):
    _append(_opened(tmp_path), b"x" * (INLINE_LIMIT + 1))
    [body] = (tmp_path / "bodies").iterdir()
    body.write_bytes(b"y")
    journal = Journal(tmp_path)
    [entry] = journal.load()
    with pytest.raises(JournalError, match=f"line 1: its body {body} is damaged"):
        journal.complete(entry)


@pytest.mark.parametrize("content", ["", "{}", '{"format": 99, "base": "x", "born": "2026-01-01"}'])
def test_an_unusable_origin_is_an_error_that_names_the_file(tmp_path: Path, content: str):
    (tmp_path / "origin.json").write_text(content)
    with pytest.raises(JournalError, match=r"origin\.json"):
        Journal(tmp_path)
