"""Manifests of a recorded program are what its provider would send."""

from cli.placement_check import _manifest
from cli.placement_nodes import Declared


def test_whole_numbers_are_written_as_such_however_deep_they_lie():
    spread = {"topologySpreadConstraints": [{"maxSkew": 1.0, "share": 0.5, "exact": True}]}
    declared = Declared(typ="kubernetes:core/v1:Pod", name="a", inputs={"spec": spread, "metadata": {}})
    [constraint] = _manifest(declared)["spec"]["topologySpreadConstraints"]
    assert repr(constraint) == "{'maxSkew': 1, 'share': 0.5, 'exact': True}"


def test_what_has_no_name_is_called_like_its_resource():
    assert _manifest(Declared(typ="kubernetes:core/v1:Pod", name="a", inputs={}))["metadata"] == {"name": "a"}
