"""Every invalid setting is rejected with a line that names the field, the value and the fix."""

import pytest

from stacks.settings import parse_settings
from tests.unit.spoiling import DELETE
from tests.unit.stacks.examples import SOUND, SOURCE, refusal

WRONG: dict[str, tuple[str, object, str]] = {
    "environment of another name": ("environment", "production", "got \"production\"; write one of 'dev', 'staging'"),
    "near miss of a choice": ("network.nat", "per-zone", "perhaps 'per_zone'"),
    "region that does not exist": ("region", "eu-west-11", 'region: got "eu-west-11"; write a region of AWS'),
    "missing section": ("tags", DELETE, "tags: got nothing; add this setting, it has no default"),
    "missing field": ("tags.owner", DELETE, "tags.owner: got nothing; add this setting"),
    "tag with spaces": ("tags.team", "ML team", 'tags.team: got "ML team"; write 1 to 256 letters'),
    "misspelt section": ("netwrok", {}, "netwrok: got {}; unknown key, did you mean 'network'?"),
    "misspelt field": (
        "database.multi_azz",
        True,
        "database.multi_azz: got true; unknown key, did you mean 'multi_az'?",
    ),
    "unknown field": (
        "budget.zebra",
        1,
        "unknown key, known here: forecast_percent, monthly_limit_usd, thresholds_percent",
    ),
    "misspelt field of a pool": ("cluster.gpu_pools.l4.max_sizes", 4, "did you mean 'max_size'?"),
    "section that is no mapping": ("network", "10.0.0.0/16", 'network: got "10.0.0.0/16"; write a mapping of settings'),
    "yes instead of true": ("database.multi_az", "yes", 'got "yes"; write true or false, without quotes'),
    "number in quotes": ("keys.rotation_days", "365", 'keys.rotation_days: got "365"; write a whole number'),
    "version without quotes": ("cluster.version", 1.36, "cluster.version: got 1.36; write one of '1.33'"),
    "text instead of a list": ("network.zones", "eu-west-1a", 'network.zones: got "eu-west-1a"; write a list'),
    "item of another type": ("secrets.names", [7], "secrets.names[0]: got 7; write text"),
    "VPC range that is none": ("network.cidr", "10.0", 'got "10.0"; write an IPv4 range'),
    "VPC range of another family": ("network.cidr", "fd00::/8", "write an IPv4 range such as 10.0.0.0/16"),
    "VPC range inside a range": ("network.cidr", "10.0.0.1/16", "write the start of the range: 10.0.0.0/16"),
    "VPC range too large": ("network.cidr", "10.0.0.0/8", "write a range between /16 and /22"),
    "VPC range too small": ("network.cidr", "10.0.0.0/24", "write a range between /16 and /22"),
    "public VPC range": ("network.cidr", "52.0.0.0/16", "write a range inside 10.0.0.0/8"),
    "VPC range that AWS uses": ("network.cidr", "172.17.0.0/16", "choose a range apart from 172.17.0.0/16"),
    "pod range outside": ("network.pod_cidr", "10.1.0.0/16", "write a range inside 100.64.0.0/10"),
    "service range too small": ("network.service_cidr", "10.1.0.0/26", "write a range between /12 and /24"),
    "VPC and services overlap": (
        "network.service_cidr",
        "10.0.0.0/16",
        "choose a range apart from network.cidr 10.0.0.0/16",
    ),
    "zone of another region": ("network.zones", ["eu-west-1a", "us-east-1b"], 'network.zones.1: got "us-east-1b"'),
    "no zone name": ("network.zones", ["eu-west-1a", "b"], 'network.zones[1]: got "b"; write an availability zone'),
    "one zone": ("network.zones", ["eu-west-1a"], "list at least 2"),
    "repeated zone": ("network.zones", ["eu-west-1a", "eu-west-1a"], "remove the repetition of eu-west-1a"),
    "endpoint that does not exist": ("network.interface_endpoints", ["ecr.apii"], "did you mean 'ecr.api'?"),
    "retention of 100 days": (
        "network.flow_log_retention_days",
        100,
        "got 100; CloudWatch keeps logs for fixed periods only, write 90",
    ),
    "private nodes without a way out": (
        "network.nat",
        "none",
        "add autoscaling, ec2, eks, eks-auth, elasticloadbalancing",
    ),
    "open API": (
        "cluster.api_cidrs",
        ["0.0.0.0/0"],
        "list the ranges of your offices and VPN, prod is not open to everybody",
    ),
    "public API for nobody": ("cluster.api_cidrs", [], "list the ranges that may reach the API"),
    "ranges of a private API": ("cluster.public_access", False, 'cluster.api_cidrs: got ["203.0.113.0/24"]; remove it'),
    "family that does not exist": ("cluster.general_pool.instance_types", ["m7ii.large"], "no instance family 'm7ii'"),
    "size that does not exist": (
        "cluster.general_pool.instance_types",
        ["m7i.3xlarge"],
        "family m7i has no size '3xlarge'",
    ),
    "two architectures": (
        "cluster.general_pool.instance_types",
        ["m7i.large", "m7g.large"],
        "these are arm64 and x86_64",
    ),
    "pool upside down": ("cluster.general_pool.max_size", 1, "max_size: got 1; write at least min_size, which is 2"),
    "general pool without interfaces for pods": (
        "cluster.general_pool.instance_types",
        ["m7i.large", "t3.large"],
        "nodes of t3.large have no network interfaces",
    ),
    "general pool of nothing": ("cluster.general_pool.min_size", 0, "the platform's own services need a node"),
    "no nodes at all": ("cluster.gpu_pools.l4.max_size", 0, "gpu_pools.l4.max_size: got 0; write 1 or more"),
    "GPU without its accelerator": (
        "cluster.gpu_pools.l4.accelerator",
        DELETE,
        'got "none"; write nvidia-l4, which is what g6.xlarge has',
    ),
    "another accelerator": (
        "cluster.gpu_pools.l4.accelerator",
        "nvidia-h100",
        "write nvidia-l4, which is what g6.xlarge has",
    ),
    "accelerator that does not exist": (
        "cluster.gpu_pools.l4.accelerator",
        "rtx",
        "write none or one of aws-inferentia2",
    ),
    "accelerator without GPU": (
        "cluster.gpu_pools.l4.instance_types",
        ["m7i.large"],
        "write none, which is what m7i.large has",
    ),
    "two numbers of accelerators": (
        "cluster.gpu_pools.l4.instance_types",
        ["g6.xlarge", "g6.12xlarge"],
        "make a pool of each, the autoscaler takes nodes of a pool for equal, and g6.xlarge has 1, g6.12xlarge has 4",
    ),
    "EFA on a type without it": ("cluster.gpu_pools.l4.efa", True, "choose larger types, g6.xlarge has no EFA"),
    "block of a type without blocks": (
        "cluster.gpu_pools.l4.capacity",
        "capacity_block",
        "g6.xlarge cannot be bought as a capacity block",
    ),
    "capacity of another name": ("cluster.gpu_pools.l4.capacity", "on-demand", "perhaps 'on_demand'"),
    "no reservation": ("cluster.gpu_pools.l4.capacity_reservation", "fr-1", "write the id of a capacity reservation"),
    "reservation in several zones": (
        "cluster.gpu_pools.l4.capacity_reservation",
        "cr-0123456789abcdef0",
        "cluster.gpu_pools.l4.zones: got []; name one zone, a reservation lies in one",
    ),
    "placement group in several zones": (
        "cluster.gpu_pools.l4.placement_group",
        True,
        "name one zone, a placement group lies in one",
    ),
    "zone that the network lacks": (
        "cluster.gpu_pools.l4.zones",
        ["eu-west-1f"],
        'cluster.gpu_pools.l4.zones.0: got "eu-west-1f"; name zones of network.zones: eu-west-1a',
    ),
    "taint effect as EKS spells it": (
        "cluster.gpu_pools.l4.taints",
        {"dedicated": "NO_SCHEDULE"},
        "write one of 'NoSchedule', 'PreferNoSchedule' or 'NoExecute'",
    ),
    "taint effect with a slip": ("cluster.gpu_pools.l4.taints", {"dedicated": "NoSchedul"}, "perhaps 'NoSchedule'"),
    "taint on the general pool": (
        "cluster.general_pool.taints",
        {"dedicated": "NoSchedule"},
        "DNS and the autoscaler do not tolerate them",
    ),
    "spot for the general pool": ("cluster.general_pool.capacity", "spot", "must not be taken away"),
    "label of Kubernetes": ("cluster.gpu_pools.l4.labels", {"kubernetes.io/role": "gpu"}, "choose another prefix"),
    "label of the program": (
        "cluster.gpu_pools.l4.labels",
        {"accelerator": "t4"},
        "the node gets this label from the settings of its pool",
    ),
    "label value with spaces": ("cluster.gpu_pools.l4.labels", {"team": "a b"}, "write up to 63 letters"),
    "pool in capitals": (
        "cluster.gpu_pools",
        {"L4": {"instance_types": ["g6.xlarge"], "accelerator": "nvidia-l4", "max_size": 1}},
        "write up to 20 lower-case letters",
    ),
    "second general pool": (
        "cluster.gpu_pools",
        {"general": {"instance_types": ["g6.xlarge"], "accelerator": "nvidia-l4", "max_size": 1}},
        "choose another name",
    ),
    "nodes two minors behind": ("cluster.gpu_pools.l4.version", "1.34", 'got "1.34"; write 1.36 or 1.35'),
    "log type that does not exist": ("cluster.log_types", ["audits"], "perhaps 'audit'"),
    "team without namespaces": ("cluster.teams", {"vision": {"namespaces": []}}, "list at least 1"),
    "team of all namespaces": ("cluster.teams", {"vision": {"namespaces": ["*"]}}, "write a namespace, or the start"),
    "team with a policy of its own": (
        "cluster.teams",
        {"vision": {"namespaces": ["vision"], "policy": "editor"}},
        "perhaps 'edit'",
    ),
    "nodes removed at once": ("cluster.autoscaler.scale_down_minutes", 0, "got 0; write 1 or more"),
    "prod can lose its cluster": ("cluster.deletion_protection", False, "prod keeps its cluster"),
    "pods without addresses": ("network.pod_cidr", "100.64.0.0/22", "of 8 nodes"),
    "rotation too often": ("keys.rotation_days", 30, "keys.rotation_days: got 30; write 90 or more"),
    "rotation too rare": ("keys.rotation_days", 3000, "keys.rotation_days: got 3000; write 2560 or less"),
    "deletion too soon": ("keys.deletion_window_days", 6, "got 6; write 7 or more"),
    "cheap storage too soon": ("buckets.infrequent_access_days", 29, "got 29; write 30 or more"),
    "prod loses objects": ("buckets.force_destroy", True, "buckets.force_destroy: got true; write false"),
    "prod loses images": ("registry.force_delete", True, "registry.force_delete: got true; write false"),
    "repository in capitals": ("registry.repositories", ["MLflow"], 'registry.repositories[0]: got "MLflow"'),
    "no repository": ("registry.repositories", [], "registry.repositories: got []; list at least 1"),
    "no repository for MLflow's server": ("registry.repositories", ["runtime"], "add mlflow, where the image of"),
    "no repository for conductors": (
        "registry.repositories",
        ["mlflow"],
        "add runtime, where the image of training runs' conductors is kept",
    ),
    "secret that looks like an ARN": (
        "secrets.names",
        ["mlflow-secret"],
        "Secrets Manager mistakes that for part of an ARN",
    ),
    "secret with a value": ("secrets.names", ["a=b"], 'secrets.names[0]: got "a=b"; write lower-case letters'),
    "recovery of 3 days": ("secrets.recovery_window_days", 3, "got 3; write 0 (deleted at once) or 7 to 30"),
    "prod without recovery": ("secrets.recovery_window_days", 0, "prod must be able to take a deletion back"),
    "database of an old version": ("database.engine_version", "9.6", "with a major of 14, 15"),
    "database without minor": ("database.engine_version", "15", 'got "15"; write major and minor version'),
    "database of an unknown class": ("database.instance_class", "db.z9.large", "write db.<family>.<size>"),
    "database of an unknown size": ("database.instance_class", "db.m7g.huge", "family m7g has no size 'huge'"),
    "database too small": ("database.allocated_storage_gb", 10, "got 10; write 20 or more"),
    "database cannot grow": ("database.allocated_storage_gb", 95, "max_storage_gb: got 100; write 105 or more"),
    "database without backups": ("database.backup_days", 0, "database.backup_days: got 0; write 1 or more"),
    "prod in one zone": ("database.multi_az", False, "database.multi_az: got false; write true"),
    "prod can be deleted": ("database.deletion_protection", False, "deletion_protection: got false; write true"),
    "prod leaves no snapshot": ("database.skip_final_snapshot", True, "skip_final_snapshot: got true; write false"),
    "prod is not protected": ("protect", False, "protect: got false; write true"),
    "prod with one NAT gateway": ("network.nat", "single", 'network.nat: got "single"; write per_zone'),
    "repository without owner": ("identities.github_repository", "ml-platform", "write owner/name"),
    "every branch deploys": ("identities.protected_branches", ["*"], 'protected_branches[0]: got "*"'),
    "nobody deploys": (
        "identities.github_environments",
        [],
        "github_environments: got []; name the GitHub environments",
    ),
    "a way around reviewers": ("identities.protected_branches", ["main"], "a job that leaves out `environment:` would"),
    "roles for everybody": ("cluster.sign_in", {"mfa": False}, "cluster.sign_in.mfa: got false; write true or name"),
    "a tag with a wildcard": (
        "cluster.sign_in.principal_tags",
        {"team": "*"},
        'cluster.sign_in.principal_tags.team: got "*"; write up to 256 characters, without wildcards',
    ),
    "OIDC provider by chance": ("identities.oidc_provider", "maybe", "write one of 'create' or 'existing'"),
    "bucket in capitals": ("identities.state_bucket", "Acme", "write 3 to 63 lower-case letters"),
    "key of AWS": ("identities.state_key_alias", "alias/aws/s3", "write the alias of a key of your own"),
    "no e-mail address": ("notifications.emails", ["oncall"], 'notifications.emails[0]: got "oncall"; write an e-mail'),
    "free of charge": ("budget.monthly_limit_usd", 0, "budget.monthly_limit_usd: got 0; write 1 or more"),
    "thresholds out of order": ("budget.thresholds_percent", [80, 50], "in order: [50, 80]"),
    "negative threshold": ("budget.thresholds_percent", [-1], "thresholds_percent[0]: got -1; write 1 or more"),
}


@pytest.mark.parametrize(("field", "value", "message"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_setting_is_refused_with_field_value_and_fix(field: str, value: object, message: str):
    lines = refusal((field, value))
    assert message in "\n".join(lines)
    assert all(line.startswith("  ") and ": got " in line and "; " in line for line in lines[1:])


def test_the_sound_settings_are_sound():
    assert parse_settings(SOUND, SOURCE).environment == "prod"


def test_every_mistake_is_reported_at_once_with_where_to_look():
    heading, *lines = refusal(("region", "moon"), ("tags.owner", DELETE), ("keys.rotation_days", 1))
    assert heading == f"{SOURCE}: 3 wrong settings"
    assert [line.split(":")[0].strip() for line in lines] == ["region", "tags.owner", "keys.rotation_days"]


def test_every_broken_rule_between_sections_is_reported_at_once():
    _, *lines = refusal(("protect", False), ("network.nat", "single"), ("database.multi_az", False))
    assert {line.split(":")[0].strip() for line in lines} == {"protect", "network.nat", "database.multi_az"}


def test_a_misspelt_section_is_reported_along_with_the_section_that_is_then_missing():
    _, *lines = refusal(("network", DELETE), ("netwrok", SOUND["network"]))
    assert any("netwrok" in line and "did you mean 'network'?" in line for line in lines)
    assert any("network: got nothing" in line for line in lines)


def test_settings_cannot_be_changed_once_they_are_checked():
    settings = parse_settings(SOUND, SOURCE)
    with pytest.raises(ValueError, match="frozen"):
        settings.network.nat = "none"
    assert isinstance(settings.network.zones, tuple)


def test_a_huge_value_does_not_flood_the_screen():
    _, line = refusal(("tags.team", "x" * 5000))
    assert len(line) < 250
