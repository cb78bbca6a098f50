"""The parser of image references follows container tools; only registries of this machine are used without TLS."""

import pytest

from mlp.console import PlainError
from mlp.images.reference import Reference, is_plain_http, parse_reference

DIGEST = f"sha256:{'0' * 64}"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("registry.k8s.io/pause:3.10", ("registry.k8s.io", "pause", "3.10")),
        ("localhost/app:1", ("localhost", "app", "1")),
        ("localhost:5000/a/b__c:v1.2_3", ("localhost:5000", "a/b__c", "v1.2_3")),
        ("docker.io/python:3", ("docker.io", "library/python", "3")),
        ("python:3.11-slim", ("docker.io", "library/python", "3.11-slim")),
        ("my-team/model:1", ("docker.io", "my-team/model", "1")),
        (f"ghcr.io/team/model:1@{DIGEST}", ("ghcr.io", "team/model", "1", DIGEST)),
    ],
)
def test_a_reference_has_a_host_a_path_and_a_tag(text: str, parts: tuple[str, ...]):
    assert parse_reference(text) == Reference(*parts)


@pytest.mark.parametrize("text", ["ghcr.io/team/model:1", f"ghcr.io/team/model:1@{DIGEST}"])
def test_a_reference_is_written_as_it_was_read(text: str):
    assert str(parse_reference(text)) == text


@pytest.mark.parametrize(
    "text", ["", "a", "x.io/a", "Model:1", "a b:1", "a:", "a:b:c", "/a:1", "a//b:1", "a/../b:1", "a:-x", "x.io/:1"]
)
def test_what_is_no_reference_is_named_with_an_example(text: str):
    with pytest.raises(PlainError, match=r"^image reference .*: write \[host/\]path:tag in lower case, such as"):
        parse_reference(text)


@pytest.mark.parametrize("digest", ["", "sha256:12", "md5:0"])
def test_what_is_no_digest_is_named(digest: str):
    with pytest.raises(PlainError, match=f"'ghcr.io/a:1@{digest}': write sha256: and 64 hexadecimal digits after @"):
        parse_reference(f"ghcr.io/a:1@{digest}")


@pytest.mark.parametrize(
    ("host", "plain"),
    [
        ("localhost", True),
        ("localhost:5000", True),
        ("127.0.0.1:5000", True),
        ("127.8.0.1", True),
        ("10.0.0.1:5000", False),
        ("ghcr.io", False),
        ("localhost.example.com:80", False),
    ],
)
def test_only_registries_of_this_machine_are_spoken_to_without_tls(host: str, plain: bool):
    assert is_plain_http(host) is plain
