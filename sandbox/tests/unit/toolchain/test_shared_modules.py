"""Programs that run beside Kubernetes share its module versions, so that shared code is compiled once."""

from __future__ import annotations

import re

from mlp_sandbox.toolchain.gomodule import MODULES

TOGETHER = ("coredns", "kwok", "metrics-server")


def pins(module: str) -> dict[str, str]:
    return dict(re.findall(r"^\t(\S+) (v\S+)", (MODULES / module / "go.mod").read_text(), re.MULTILINE))


def test_modules_that_are_built_together_pin_the_same_versions_of_what_they_share() -> None:
    versions: dict[str, dict[str, list[str]]] = {}
    for module in TOGETHER:
        for path, version in pins(module).items():
            versions.setdefault(path, {}).setdefault(version, []).append(module)
    assert "k8s.io/client-go" in versions
    assert {path: found for path, found in versions.items() if len(found) > 1} == {}
