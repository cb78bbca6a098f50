"""The table of images, and FROM lines: reading, writing, and rejection of incomplete entries."""

import pytest

from components.images.table import Image, ImageTableError, bases, parse_table, with_digests, with_pinned_bases

ONE, TWO = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
TABLE = f"""# a comment: a b c
plugin nvcr.io/nvidia/plugin:v0.18.0 -

# another
scaler-1.36 localhost:5000/k8s/scaler:v1.36.0 {ONE}
"""


def test_images_are_named_by_tag_and_digest_as_soon_as_there_is_one():
    table = parse_table(TABLE, "images.txt")
    assert list(table) == ["plugin", "scaler-1.36"]
    assert table["plugin"] == Image(name="plugin", reference="nvcr.io/nvidia/plugin:v0.18.0")
    assert table["plugin"].pinned == "nvcr.io/nvidia/plugin:v0.18.0"
    assert table["scaler-1.36"].pinned == f"localhost:5000/k8s/scaler:v1.36.0@{ONE}"


def test_digests_are_written_and_nothing_else_is_touched():
    written = with_digests(TABLE, {"plugin": TWO}, "images.txt")
    assert written == TABLE.replace("v0.18.0 -", f"v0.18.0 {TWO}")
    assert with_digests(written, {"plugin": TWO}, "images.txt") == written
    assert with_digests(written, {}, "images.txt") == written
    assert with_digests(written, {"plugin": ONE}, "images.txt") == TABLE.replace("v0.18.0 -", f"v0.18.0 {ONE}")


@pytest.mark.parametrize("missing", range(1, len(TABLE.splitlines()[-1])))
def test_a_table_that_was_not_written_to_its_end_is_refused_wherever_its_last_line_stops(missing: int):
    with pytest.raises(ImageTableError, match="its last line has no end, so it was not written whole"):
        parse_table(TABLE[:-missing], "images.txt")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("plugin nvcr.io/nvidia/plugin:v1", "line 1: got 'plugin nvcr.io/nvidia/plugin:v1'; write name, host/path:tag"),
        (f"plugin nvcr.io/nvidia/plugin:v1 {ONE} more", "write name, host/path:tag"),
        ("plugin nvcr.io/nvidia/plugin -", "write host/path:tag with the tag of a version"),
        ("plugin nvcr.io/nvidia/plugin:latest -", "write host/path:tag with the tag of a version"),
        (f"plugin nvcr.io/nvidia/plugin@{ONE} -", "write host/path:tag with the tag of a version"),
        ("plugin python:3 -", "write host/path:tag"),
        ("Plugin nvcr.io/nvidia/plugin:v1 -", "got name 'Plugin'"),
        ("plugin nvcr.io/nvidia/plugin:v1 sha256:12", "got digest 'sha256:12'; write - and run `mlp images pin`"),
        (f"plugin nvcr.io/nvidia/plugin:v1 {ONE.upper()}", "got digest"),
        ("a x.io/a:1 -\na x.io/b:1 -", "line 2: got name 'a'"),
    ],
)
def test_what_is_no_line_of_the_table_is_named_with_its_number(line: str, said: str):
    with pytest.raises(ImageTableError) as refused:
        parse_table(f"{line}\n", "images.txt")
    assert str(refused.value).startswith("images.txt")
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("digests", "said"),
    [
        ({"other": ONE}, "there is no image 'other'"),
        ({"plugin": "sha256:1"}, "no digest"),
        ({"plugin": ""}, "no digest"),
    ],
)
def test_only_digests_of_images_that_there_are_can_be_written(digests: dict[str, str], said: str):
    with pytest.raises(ImageTableError, match=said):
        with_digests(TABLE, digests, "images.txt")


DOCKERFILE = """# FROM x.io/comment:1
ARG BASE=x.io/c:1
FROM --platform=linux/amd64 x.io/python:3.11-slim AS packages
RUN echo FROM x.io/python:3.11-slim
from x.io/python:3.11-slim\r
COPY --from=packages /a /a
FROM packages
FROM scratch
FROM $BASE
FROM python:3.11
"""


def test_bases_with_a_host_are_found_once_and_pinned_in_every_stage():
    reference = "x.io/python:3.11-slim"
    assert bases(DOCKERFILE) == (reference,)
    pinned = with_pinned_bases(DOCKERFILE, {reference: ONE})
    assert pinned.splitlines()[2] == f"FROM --platform=linux/amd64 {reference}@{ONE} AS packages"
    assert f"from {reference}@{ONE}\r\n" in pinned
    assert pinned.count(ONE) == 2
    assert bases(pinned) == (reference,)
    assert with_pinned_bases(pinned, {reference: ONE}) == pinned
    assert with_pinned_bases(pinned, {reference: TWO}) == pinned.replace(ONE, TWO)
    assert with_pinned_bases(pinned, {}) == pinned
    assert with_pinned_bases(pinned, {reference: ""}) == DOCKERFILE
    with pytest.raises(ImageTableError, match="no digest"):
        with_pinned_bases(DOCKERFILE, {reference: "sha256:1"})
