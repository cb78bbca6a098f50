"""Parameter groups as configuration files."""

import pytest

from mlp_sandbox.databases.postgres.errors import DataPlaneError
from mlp_sandbox.databases.postgres.settings import quote, render_access, render_settings, render_user_map

KNOWN = {
    "work_mem",
    "shared_buffers",
    "max_connections",
    "listen_addresses",
    "DateStyle",
    "fsync",
    "shared_preload_libraries",
}


def _lines(parameters: dict[str, str], libraries: set[str] | None = None) -> tuple[list[str], tuple[str, ...]]:
    settings = render_settings(parameters, known=KNOWN, libraries=libraries or set(), address="127.70.1.2", port=5432)
    return settings.text.splitlines(), settings.left_out


def test_the_server_listens_where_the_instance_is_placed_and_speaks_tls():
    lines, left_out = _lines({})
    assert {"listen_addresses = '127.70.1.2'", "port = '5432'", "ssl = 'on'"} <= set(lines)
    assert left_out == ()


def test_a_known_parameter_wins_over_the_frugal_default_whatever_its_case():
    lines, _ = _lines({"shared_buffers": "16384", "datestyle": "ISO, DMY"})
    assert "shared_buffers = '16384'" in lines
    assert "datestyle = 'ISO, DMY'" in lines


def test_defaults_that_this_version_does_not_know_are_not_written():
    lines, _ = _lines({})
    assert not [line for line in lines if line.startswith("jit")]


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("listen_addresses", "*", "decided by the sandbox"),
        ("fsync", "off", "decided by the sandbox"),
        ("nonsense", "1", "unknown to this PostgreSQL version"),
        ("rds.adaptive_autovacuum", "1", "an RDS feature that PostgreSQL itself does not have"),
        ("pgaudit.log", "all", "belongs to the library 'pgaudit', which is not installed"),
        ("work_mem", "{DBInstanceClassMemory/12038}", "is not evaluated; write a number"),
        ("work_mem = 1\nfsync", "off", "not a parameter name"),
    ],
)
def test_what_cannot_be_applied_is_left_out_and_told(name: str, value: str, reason: str):
    lines, left_out = _lines({name: value})
    assert len(left_out) == 1
    assert reason in left_out[0]
    assert not [line for line in lines if line == f"{name} = {value!r}"]


def test_a_parameter_of_an_installed_library_is_written():
    lines, left_out = _lines({"pg_stat_statements.max": "500"}, {"pg_stat_statements"})
    assert "pg_stat_statements.max = '500'" in lines
    assert left_out == ()


def test_only_installed_libraries_are_preloaded():
    lines, left_out = _lines({"shared_preload_libraries": "auto_explain, rdsutils"}, {"auto_explain"})
    assert "shared_preload_libraries = 'auto_explain'" in lines
    assert left_out == ("shared_preload_libraries: library 'rdsutils' is not installed",)


def test_logical_replication_maps_to_the_wal_level():
    assert "wal_level = 'logical'" in _lines({"rds.logical_replication": "1"})[0]
    assert "wal_level = 'replica'" in _lines({"rds.logical_replication": "0"})[0]


def test_quotes_and_backslashes_cannot_end_a_value():
    assert quote("it's \\'") == r"'it''s \\'''"


def test_a_line_break_in_a_value_is_refused():
    with pytest.raises(DataPlaneError, match="holds a line break"):
        quote("1\nfsync = off")


def test_forced_tls_leaves_no_rule_for_plain_connections():
    rules = [line.split() for line in render_access(tls_forced=True).splitlines()]
    assert ["hostssl", "all", "all", "samehost", "scram-sha-256"] in rules
    assert [rule for rule in rules if rule[0] == "host"] == [["host", "all", "rdsadmin", "all", "reject"]]


def test_only_this_machine_and_its_clusters_are_let_in():
    rules = [line.split() for line in render_access(tls_forced=False).splitlines()]
    assert {rule[3] for rule in rules if rule[-1] == "scram-sha-256"} == {"samehost", "127.0.0.0/8", "198.18.0.0/16"}


def test_the_superuser_is_refused_before_any_rule_lets_others_in():
    for tls_forced in (True, False):
        rules = render_access(tls_forced=tls_forced).splitlines()
        refused = next(index for index, rule in enumerate(rules) if rule.endswith("reject"))
        assert refused < next(index for index, rule in enumerate(rules) if "scram" in rule)


def test_only_the_named_accounts_act_as_the_superuser():
    assert render_user_map({"postgres", "root"}).splitlines() == [
        'sandbox  "postgres"  rdsadmin',
        'sandbox  "root"  rdsadmin',
    ]
