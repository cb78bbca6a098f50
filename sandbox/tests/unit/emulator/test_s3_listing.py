"""Listings match S3: no prefixes of deleted objects, and pages without gaps or duplicates."""

from typing import Any

import pytest

from sandbox.tests.unit.emulator.emulated import Emulated


@pytest.fixture
def s3(emulated: Emulated) -> Any:
    client = emulated.client("s3")
    client.create_bucket(Bucket="data")
    return client


def _put(s3: Any, *keys: str) -> None:
    for key in keys:
        s3.put_object(Bucket="data", Key=key, Body=b"x")


def _shown(s3: Any, version: int, **options: Any) -> tuple[list[str], list[str]]:
    answer = (s3.list_objects_v2 if version == 2 else s3.list_objects)(Bucket="data", **options)
    keys = [item["Key"] for item in answer.get("Contents", [])]
    return keys, [item["Prefix"] for item in answer.get("CommonPrefixes", [])]


@pytest.mark.parametrize("version", [1, 2])
def test_a_prefix_that_holds_delete_markers_only_is_not_shown(s3: Any, version: int):
    s3.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
    _put(s3, "gone/a", "gone/b", "half/a", "half/b", "top")
    for key in ("gone/a", "gone/b", "half/a", "never/was"):
        s3.delete_object(Bucket="data", Key=key)
    assert _shown(s3, version, Delimiter="/") == (["top"], ["half/"])
    assert _shown(s3, version, Prefix="gone/", Delimiter="/") == ([], [])
    assert _shown(s3, version, Prefix="go", Delimiter="/") == ([], [])
    assert _shown(s3, version) == (["half/b", "top"], [])


def test_versions_still_show_the_prefix_whose_objects_are_deleted(s3: Any):
    s3.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
    _put(s3, "gone/a")
    s3.delete_object(Bucket="data", Key="gone/a")
    answer = s3.list_object_versions(Bucket="data", Delimiter="/")
    assert [item["Prefix"] for item in answer["CommonPrefixes"]] == ["gone/"]


@pytest.mark.parametrize("name", ["list_objects", "list_objects_v2"])
@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_pages_of_objects_and_prefixes_together_are_the_whole(s3: Any, name: str, size: int):
    _put(s3, "a", "b/1", "b/2", "c", "d/1", "d/2/3", "e")
    pages = s3.get_paginator(name).paginate(Bucket="data", Delimiter="/", PaginationConfig={"PageSize": size})
    shown: list[str] = []
    for page in pages:
        keys = [item["Key"] for item in page.get("Contents", [])]
        prefixes = [item["Prefix"] for item in page.get("CommonPrefixes", [])]
        assert len(keys) + len(prefixes) <= size
        shown += keys + prefixes
    assert sorted(shown) == ["a", "b/", "c", "d/", "e"]
    assert len(shown) == 5


def test_pages_without_a_delimiter_go_on_after_the_last_object(s3: Any):
    _put(s3, *(f"k{number}" for number in range(7)))
    first = s3.list_objects(Bucket="data", MaxKeys=3)
    assert (first["IsTruncated"], "NextMarker" in first) == (True, False)
    assert _shown(s3, 1, Marker="k2", MaxKeys=10)[0] == ["k3", "k4", "k5", "k6"]
    pages = s3.get_paginator("list_objects").paginate(Bucket="data", PaginationConfig={"PageSize": 3})
    assert [item["Key"] for page in pages for item in page["Contents"]] == [f"k{number}" for number in range(7)]
