"""Detection of the control group hierarchies from the mounts."""

from pathlib import Path

from mlp_sandbox.clusters.nodes.real.cgroups import Hierarchy, hierarchies

V1 = """\
30 25 0:26 / /sys/fs/cgroup ro,nosuid shared:9 - tmpfs tmpfs ro,mode=755
31 30 0:27 / /sys/fs/cgroup/unified rw,nosuid shared:10 - cgroup2 cgroup2 rw
32 30 0:28 / /sys/fs/cgroup/systemd rw,nosuid shared:11 - cgroup cgroup rw,xattr,name=systemd
33 30 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:15 - cgroup cgroup rw,cpu,cpuacct
34 30 0:30 / /sys/fs/cgroup/memory rw,nosuid shared:16 - cgroup cgroup rw,memory
"""
V2 = """\
25 1 254:1 / / rw - ext4 /dev/vda1 rw
30 25 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate
"""


def test_with_version_1_the_other_one_beside_it_is_left_alone() -> None:
    assert hierarchies(V1) == [
        Hierarchy(Path("/sys/fs/cgroup/systemd"), "name=systemd"),
        Hierarchy(Path("/sys/fs/cgroup/cpu,cpuacct"), "cpu,cpuacct"),
        Hierarchy(Path("/sys/fs/cgroup/memory"), "memory"),
    ]


def test_version_2_alone_is_one_hierarchy() -> None:
    [found] = hierarchies(V2)
    assert found.version_2
    assert found.mount == Path("/sys/fs/cgroup")


def test_a_machine_without_any_has_none() -> None:
    assert hierarchies("25 1 254:1 / / rw - ext4 /dev/vda1 rw\n") == []
