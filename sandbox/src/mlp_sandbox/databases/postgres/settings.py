"""Configuration files of an instance, made from its parameter group. The functions are pure.

A parameter of the group that the server knows becomes a setting. Settings that the sandbox makes itself (address, TLS
files, logging to its own file) cannot be overridden. RDS's own parameters are mapped where PostgreSQL has an
equivalent. Every parameter that is left out is reported, never dropped silently.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from mlp_sandbox.clusters.network.network import UPLINKS
from mlp_sandbox.databases.postgres.errors import DataPlaneError

SUPERUSER: Final = "rdsadmin"
"""Name of the superuser, as on RDS; no client logs in with it over the network."""

FRUGAL: Final[Mapping[str, str]] = {
    "shared_buffers": "32MB",
    "max_connections": "100",
    "max_wal_size": "256MB",
    "min_wal_size": "80MB",
    "autovacuum_max_workers": "1",
    "max_parallel_workers": "2",
    "huge_pages": "off",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "fsync": "on",
}
_MANAGED: Final = frozenset(
    {
        *("listen_addresses", "port", "unix_socket_directories", "unix_socket_group", "unix_socket_permissions"),
        *("data_directory", "config_file", "hba_file", "ident_file", "external_pid_file", "cluster_name", "fsync"),
        *("ssl", "ssl_cert_file", "ssl_key_file", "ssl_ca_file", "ssl_crl_file", "ssl_crl_dir", "ssl_dh_params_file"),
        *("ssl_passphrase_command", "logging_collector", "log_destination", "log_directory", "log_filename"),
        *("log_rotation_age", "log_rotation_size", "log_file_mode", "password_encryption", "archive_command"),
        *("archive_mode", "archive_library", "restore_command", "dynamic_library_path", "huge_page_size"),
    }
)
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?")


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """Text of postgresql.conf, and the parameters of the group that it leaves out, with the reasons."""

    text: str
    left_out: tuple[str, ...]


def render_settings(
    parameters: Mapping[str, str], *, known: Collection[str], libraries: Collection[str], address: str, port: int
) -> ServerSettings:
    """Return postgresql.conf for an instance.

    Args:
        parameters: the parameter group's values.
        known: the names of the server's parameters.
        libraries: the names that `shared_preload_libraries` may contain.
        address: the address that the server listens on.
        port: its port.
    """
    lowered = {name.lower() for name in known}
    chosen: dict[str, str] = {name: value for name, value in FRUGAL.items() if name.lower() in lowered}
    left_out: list[str] = []
    for name, value in sorted(parameters.items()):
        reason = _why_left_out(name, value, lowered, libraries)
        if reason is not None:
            left_out.append(f"{name}: {reason}")
        elif name == "rds.logical_replication":
            chosen["wal_level"] = "logical" if _is_on(value) else "replica"
        elif name == "shared_preload_libraries":
            wanted = [entry.strip() for entry in value.split(",") if entry.strip()]
            left_out += [f"{name}: library {entry!r} is not installed" for entry in wanted if entry not in libraries]
            chosen[name] = ",".join(entry for entry in wanted if entry in libraries)
        elif not name.startswith("rds."):
            chosen[name.lower()] = value
    chosen |= {
        "listen_addresses": address,
        "port": str(port),
        "unix_socket_directories": ".",
        "ssl": "on",
        "ssl_cert_file": "server.crt",
        "ssl_key_file": "server.key",
        "password_encryption": "scram-sha-256",
        "logging_collector": "off",
        "log_destination": "stderr",
    }
    lines = [f"{name} = {quote(value)}" for name, value in sorted(chosen.items())]
    return ServerSettings(
        text="# Written by the sandbox at every reconciliation: change the parameter group instead.\n"
        + "\n".join(lines)
        + "\n",
        left_out=tuple(left_out),
    )


def _why_left_out(name: str, value: str, known: Collection[str], libraries: Collection[str]) -> str | None:
    if name in {"rds.force_ssl", "rds.logical_replication"}:
        return None
    if name.startswith("rds."):
        return "an RDS feature that PostgreSQL itself does not have"
    if not _NAME.fullmatch(name):
        return "not a parameter name"
    if name.lower() in _MANAGED:
        return "decided by the sandbox"
    prefix, dot, _ = name.partition(".")
    if dot and prefix not in libraries:
        return f"belongs to the library {prefix!r}, which is not installed"
    if not dot and name.lower() not in known:
        return "unknown to this PostgreSQL version"
    if "{" in value:
        return f"the formula {value!r} is not evaluated; write a number"
    return None


def quote(value: str) -> str:
    """Return a value in a form that postgresql.conf always accepts: quoted, with quotes and backslashes escaped."""
    if "\n" in value or "\r" in value or "\0" in value:
        raise DataPlaneError(f"parameter value {value!r} holds a line break; write it in one line")
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def render_access(*, tls_forced: bool) -> str:
    """Return pg_hba.conf.

    Clients connect over the network with passwords, and with TLS only when it is forced. The superuser connects locally
    only, by account. Clients other than this machine and its clusters are rejected, because a neighbour could send
    packets to a VPC address of this machine.
    """
    connection = "hostssl" if tls_forced else "host"
    clients = ("samehost", "127.0.0.0/8", str(UPLINKS))
    return f"local  all  {SUPERUSER}  peer  map=sandbox\nhost  all  {SUPERUSER}  all  reject\n" + "".join(
        f"{connection}  all  all  {each}  scram-sha-256\n" for each in clients
    )


def render_user_map(accounts: Collection[str]) -> str:
    """Return pg_ident.conf: the accounts of this machine that may act as superuser over the server's own socket."""
    return "".join(f'sandbox  "{account}"  {SUPERUSER}\n' for account in sorted(accounts))


def _is_on(value: str) -> bool:
    return value.strip().lower() in {"1", "on", "true", "yes"}
