"""S3 failures: rejections, objects that change while they are read, and missing answers."""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ml_workloads.runtime.data import DataError, ReadOptions, S3Objects, load
from ml_workloads.runtime.errors import PlatformError

Answer = tuple[int, str]
LISTING = (
    "<ListBucketResult><Name>lake</Name><IsTruncated>false</IsTruncated><Contents><Key>a.csv</Key><Size>8</Size>"
    '<ETag>"e"</ETag></Contents></ListBucketResult>'
)
ROWS = "x,y\n1,2\n"


def refusal(status: int, code: str, message: str = "no") -> Answer:
    return status, f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"


@contextmanager
def s3(monkeypatch: pytest.MonkeyPatch, answers: Sequence[Answer]) -> Generator[list[str]]:
    """Serve these answers in order, the last one repeatedly; yields the recorded requests."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers[min(len(asked), len(answers) - 1)]
            asked.append(f"{self.path} {self.headers.get('If-Match', '')}")
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{server.server_port}",
    }.items():
        monkeypatch.setenv(name, value)
    try:
        yield asked
    finally:
        server.shutdown()
        server.server_close()


def read(seconds: float = 0) -> list[int]:
    return load(S3Objects(bucket="lake", key="a.csv"), ReadOptions(patience_seconds=seconds)).frame["x"].tolist()


def test_an_object_is_read_as_it_was_listed(monkeypatch: pytest.MonkeyPatch):
    with s3(monkeypatch, [(200, LISTING), (200, ROWS)]) as asked:
        assert read() == [1]
    assert asked[1] == '/lake/a.csv "e"'


def test_all_pages_of_a_listing_are_read(monkeypatch: pytest.MonkeyPatch):
    first = LISTING.replace("false<", "true<").replace(
        "<Contents>", "<NextContinuationToken>t</NextContinuationToken><Contents>"
    )
    second = LISTING.replace("a.csv", "b.csv")
    with s3(monkeypatch, [(200, first), (200, second), (200, ROWS)]) as asked:
        assert load(S3Objects(bucket="lake", key="/")).frame["x"].tolist() == [1, 1]
    assert "continuation-token=t" in asked[1]


@pytest.mark.parametrize("answer", [refusal(412, "PreconditionFailed"), refusal(404, "NoSuchKey")])
def test_an_object_that_changes_while_it_is_read_ends_the_attempt(monkeypatch: pytest.MonkeyPatch, answer: Answer):
    with s3(monkeypatch, [(200, LISTING), answer]), pytest.raises(PlatformError, match="replaced or deleted since"):
        read()


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([refusal(403, "AccessDenied")], "it does not exist, or the role of this pod may not read it"),
        ([(200, LISTING), refusal(403, "AccessDenied")], r"cannot read s3://lake/a\.csv: S3 answers AccessDenied"),
        (
            [(200, LISTING), refusal(403, "AccessDenied", "not authorized to perform: kms:Decrypt on key/1")],
            "the key that it is encrypted with cannot be used .*upload it again without naming a key",
        ),
        ([(200, LISTING), refusal(400, "KMS.DisabledException", "key/1 is disabled")], "key/1 is disabled"),
        ([(200, LISTING), refusal(403, "InvalidObjectState")], "it is archived; restore it"),
        ([refusal(404, "NoSuchBucket")], "there is no bucket lake"),
        ([refusal(400, "AuthorizationHeaderMalformed", "expecting eu-west-1")], "expecting eu-west-1"),
    ],
)
def test_a_refusal_says_what_to_do(monkeypatch: pytest.MonkeyPatch, answers: list[Answer], said: str):
    with s3(monkeypatch, answers), pytest.raises(DataError, match=said):
        read()


@pytest.mark.parametrize(
    "fault", [refusal(503, "SlowDown"), refusal(500, "InternalError"), refusal(400, "ExpiredToken")]
)
def test_a_fault_of_s3_is_tried_again_and_then_told_as_the_platforms(monkeypatch: pytest.MonkeyPatch, fault: Answer):
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    with s3(monkeypatch, [*[fault] * 9, (200, LISTING), (200, ROWS)]):
        assert read(60) == [1]
    with s3(monkeypatch, [fault]), pytest.raises(PlatformError, match=r"could not list s3://lake/a\.csv within 0 s"):
        read()


def test_an_address_where_nobody_listens_is_the_platforms_fault(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    with s3(monkeypatch, [(200, ROWS)]):
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
        with pytest.raises(PlatformError, match="could not list"):
            read()


def test_a_body_that_breaks_off_is_read_again(monkeypatch: pytest.MonkeyPatch):
    class Broken(str):
        """Body with a declared length above its real one."""

        __slots__ = ()

        def __len__(self) -> int:
            return super().__len__() + 10

    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    with s3(monkeypatch, [(200, LISTING), (200, Broken(ROWS)), (200, ROWS)]):
        assert read(60) == [1]
