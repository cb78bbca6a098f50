"""Two sandboxes under different names and ports share nothing."""

from __future__ import annotations

from mlp_sandbox import lifecycle
from mlp_sandbox.testing.box import MakeBox


def test_two_sandboxes_hold_different_accounts(make_box: MakeBox) -> None:
    one, two = make_box("one"), make_box("two")
    one.client("s3").create_bucket(Bucket="only-in-one")
    assert [bucket["Name"] for bucket in one.client("s3").list_buckets()["Buckets"]] == ["only-in-one"]
    assert two.client("s3").list_buckets()["Buckets"] == []
    assert lifecycle.down(one.instance)
    assert lifecycle.status(two.instance).ready


def test_down_keeps_what_the_account_holds_and_reset_forgets_it(make_box: MakeBox) -> None:
    box = make_box("kept")
    box.client("s3").create_bucket(Bucket="kept-bucket")
    box.client("s3").put_object(Bucket="kept-bucket", Key="a", Body=b"object")
    lifecycle.down(box.instance)
    box.up()
    assert box.client("s3").get_object(Bucket="kept-bucket", Key="a")["Body"].read() == b"object"
    lifecycle.reset(box.instance)
    box.up()
    assert box.client("s3").list_buckets()["Buckets"] == []
