"""Pods reach the environment's database by the address that the API reports, over verified TLS."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pytest

from mlp_sandbox import processes
from mlp_sandbox.databases.postgres import host_addresses
from mlp_sandbox.testing.postgres_client import POSTGRES_CLIENT, ensure_postgres_client
from tests.environments.real_nodes.deployed import Deployed
from tests.environments.real_nodes.eks.manifests import job

SIGN_IN = """
import json, os, time
import psycopg
# Rules of a pod that has just started may come a moment after it.
time.sleep(3)
try:
    with psycopg.connect(**json.loads(os.environ["WHERE"]), sslmode="verify-full", connect_timeout=5) as connection:
        print("signed in as", connection.execute("SELECT current_user").fetchone()[0])
except psycopg.OperationalError as error:
    print("failed:", " ".join(str(error).split()))
"""


@pytest.fixture(scope="module")
def where(deployed: Deployed) -> dict[str, Any]:
    """Return the connection settings of a pod; the password comes from RDS's secret."""
    ensure_postgres_client()
    (instance,) = deployed.box.client("rds").describe_db_instances()["DBInstances"]
    secret = deployed.box.client("secretsmanager").get_secret_value(SecretId=instance["MasterUserSecret"]["SecretArn"])
    return {
        "host": instance["Endpoint"]["Address"],
        "port": instance["Endpoint"]["Port"],
        "dbname": instance["DBName"],
        "user": instance["MasterUsername"],
        "password": json.loads(secret["SecretString"])["password"],
    }


@pytest.fixture
def namespace(deployed: Deployed) -> Iterator[str]:
    """Yield a namespace with no egress except the rules that a test adds."""
    with deployed.namespace() as name:
        _policy(deployed, name, "nothing", [])
        yield name


def _policy(deployed: Deployed, namespace: str, name: str, egress: list[Any]) -> None:
    spec = {"podSelector": {}, "policyTypes": ["Egress"], "egress": egress}
    path = f"/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies"
    deployed.api.create(path, {"metadata": {"name": name}, "spec": spec})


def _said(deployed: Deployed, namespace: str, name: str, where: dict[str, Any]) -> str:
    # Of $$ in a variable's value Kubernetes makes one.
    variables = [{"name": "WHERE", "value": json.dumps(where).replace("$", "$$")}]
    fields = {"image": POSTGRES_CLIENT, "env": variables}
    manifest = job(name, namespace, SIGN_IN, container_fields=fields)
    with deployed.created(f"/apis/batch/v1/namespaces/{namespace}/jobs", manifest):
        return deployed.log_of_job(namespace, name).strip()


def _subnets(deployed: Deployed) -> list[str]:
    (instance,) = deployed.box.client("rds").describe_db_instances()["DBInstances"]
    ids = [each["SubnetIdentifier"] for each in instance["DBSubnetGroup"]["Subnets"]]
    return [each["CidrBlock"] for each in deployed.box.client("ec2").describe_subnets(SubnetIds=ids)["Subnets"]]


def test_the_endpoint_is_an_address_of_the_databases_subnets(deployed: Deployed, where: dict[str, Any]) -> None:
    assert any(IPv4Address(where["host"]) in IPv4Network(each) for each in _subnets(deployed))
    assert deployed.outputs["database_endpoint"].partition(":")[0] == where["host"]


def test_pods_sign_in_where_a_policy_lets_them_out_to_the_network_and_not_without(
    deployed: Deployed, namespace: str, where: dict[str, Any]
) -> None:
    assert _said(deployed, namespace, "kept-in", where).startswith("failed:")
    (vpc,) = [each for each in deployed.box.client("ec2").describe_vpcs()["Vpcs"] if not each["IsDefault"]]
    ports = [{"protocol": "TCP", "port": 5432}]
    _policy(deployed, namespace, "database", [{"to": [{"ipBlock": {"cidr": vpc["CidrBlock"]}}], "ports": ports}])
    assert _said(deployed, namespace, "let-out", where) == f"signed in as {where['user']}"


def test_the_address_stays_when_the_emulator_is_killed(deployed: Deployed, where: dict[str, Any]) -> None:
    pid = processes.running(deployed.box.instance.home / "emulator.pid")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    deployed.box.up()
    (instance,) = deployed.box.client("rds").describe_db_instances()["DBInstances"]
    assert instance["Endpoint"]["Address"] == where["host"]
    with deployed.namespace() as namespace:
        assert _said(deployed, namespace, "after-kill", where) == f"signed in as {where['user']}"
    labels = {str(each.address.ip): each.label for each in host_addresses.of_machine()}
    assert labels[where["host"]] == host_addresses.label(deployed.box.instance.aws)
