"""Pod Identity: a pod gets its own service account's role, the account enforces its policy, and other pods get none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from components.pod_identity import NEEDS_ROLE
from mlp_sandbox.testing.box import eventually
from tests.environments.real_nodes.deployed import CLUSTER, Deployed
from tests.environments.real_nodes.eks.manifests import WITH_SDK, job

ROLE = "probe-reader"
OWN, OTHER = "probe-one", "probe-two"
ASK = f"""
import json, os, boto3
def tried(call):
    try:
        return 'ok ' + str(call())
    except Exception as error:
        code = getattr(error, 'response', {{}}).get('Error', {{}}).get('Code', '')
        return f'{{type(error).__name__}} {{code}}'
s3 = lambda: boto3.client('s3')
read = lambda bucket, key: s3().get_object(Bucket=bucket, Key=key)['Body'].read().decode()
calls = {{
    'who': lambda: boto3.client('sts').get_caller_identity()['Arn'],
    'own prefix': lambda: read('{OWN}', 'team-a/x'),
    'write': lambda: s3().put_object(Bucket='{OWN}', Key='team-a/y', Body=b'1'),
    'other prefix': lambda: read('{OWN}', 'team-b/x'),
    'other bucket': lambda: read('{OTHER}', 'team-a/x'),
    'iam': lambda: boto3.client('iam').list_users(),
    'itself': lambda: boto3.client('iam').attach_role_policy(
        RoleName='{ROLE}', PolicyArn='arn:aws:iam::aws:policy/AdministratorAccess'),
}}
asked = os.environ['ASKED'].split(',')
print('said:', json.dumps({{name: tried(calls[name]) for name in asked}}))
"""
DENIED = ("write", "other prefix", "other bucket", "iam", "itself")
RESIZE = """
import json, boto3
scaling = boto3.client('autoscaling')
def tried(call, **arguments):
    try:
        call(**arguments)
        return 'ok'
    except Exception as error:
        return getattr(error, 'response', {{}}).get('Error', {{}}).get('Code') or repr(error)
resize = scaling.set_desired_capacity
print('said:', json.dumps({{
    'own': tried(resize, AutoScalingGroupName='{own}', DesiredCapacity=0),
    'foreign': tried(resize, AutoScalingGroupName='{foreign}', DesiredCapacity=1),
    'delete': tried(scaling.delete_auto_scaling_group, AutoScalingGroupName='{own}'),
    'describe': tried(scaling.describe_auto_scaling_groups),
}}))
"""


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]})


@pytest.fixture(scope="module")
def namespace(deployed: Deployed) -> Iterator[str]:
    """Yield a namespace with two service accounts: `reader` may read one prefix of one bucket, `nobody` has no role."""
    s3, iam, eks = (deployed.box.client(name) for name in ("s3", "iam", "eks"))
    keys = [(bucket, f"{prefix}/x") for bucket in (OWN, OTHER) for prefix in ("team-a", "team-b")]
    for bucket in (OWN, OTHER):
        s3.create_bucket(Bucket=bucket)
    for bucket, key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"hello")
    service = {"Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": ["sts:AssumeRole", "sts:TagSession"]}
    role = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=policy(service))["Role"]["Arn"]
    prefix = {"Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{OWN}/team-a/*"}
    iam.put_role_policy(RoleName=ROLE, PolicyName="read", PolicyDocument=policy(prefix))
    asked = {"ActionNames": ["s3:GetObject"], "ResourceArns": [f"arn:aws:s3:::{OWN}/team-a/x"]}

    def counts() -> bool:
        found = iam.simulate_principal_policy(PolicySourceArn=role, **asked)["EvaluationResults"]
        return found[0]["EvalDecision"] == "allowed"

    eventually(counts, "the role and its policy have taken effect")
    with deployed.namespace() as name:
        for account in ("reader", "nobody"):
            deployed.api.create(f"/api/v1/namespaces/{name}/serviceaccounts", {"metadata": {"name": account}})
        association = eks.create_pod_identity_association(
            clusterName=CLUSTER, namespace=name, serviceAccount="reader", roleArn=role
        )["association"]["associationId"]
        yield name
        eks.delete_pod_identity_association(clusterName=CLUSTER, associationId=association)
    iam.delete_role_policy(RoleName=ROLE, PolicyName="read")
    iam.delete_role(RoleName=ROLE)
    for bucket, key in [*keys, (OWN, "team-a/y")]:
        s3.delete_object(Bucket=bucket, Key=key)
    for bucket in (OWN, OTHER):
        s3.delete_bucket(Bucket=bucket)


@pytest.fixture
def foreign_group(deployed: Deployed) -> Iterator[str]:
    """Yield an Auto Scaling group that belongs to no cluster."""
    name, scaling = "somebody-elses", deployed.box.client("autoscaling")
    subnet = deployed.outputs["private_subnet_ids"][0]
    scaling.create_launch_configuration(LaunchConfigurationName=name, ImageId="ami-12c6146b", InstanceType="m7i.large")
    scaling.create_auto_scaling_group(
        AutoScalingGroupName=name, LaunchConfigurationName=name, MinSize=0, MaxSize=1, VPCZoneIdentifier=subnet
    )
    yield name
    scaling.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)
    scaling.delete_launch_configuration(LaunchConfigurationName=name)


def answers(deployed: Deployed, namespace: str, account: str, *asked: str) -> dict[str, str]:
    """Return the results that a pod of a service account gets from its AWS SDK without any configuration."""
    given = {"ASKED": ",".join(asked), "AWS_DEFAULT_REGION": "us-east-1"}
    fields = {"image": WITH_SDK, "env": [{"name": name, "value": value} for name, value in given.items()]}
    manifest = job(f"ask-{account}", namespace, ASK, serviceAccountName=account, container_fields=fields)
    if account == "reader":  # its association is new
        manifest["spec"]["template"].setdefault("metadata", {})["labels"] = dict(NEEDS_ROLE)
    with deployed.created(f"/apis/batch/v1/namespaces/{namespace}/jobs", manifest) as name:
        return json.loads(deployed.log_of_job(namespace, name).rpartition("said: ")[2])


def test_a_pod_has_its_role_and_the_account_denies_all_that_the_role_may_not(
    deployed: Deployed, namespace: str
) -> None:
    said = answers(deployed, namespace, "reader", "who", "own prefix", *DENIED)
    assert said.pop("who").startswith(f"ok arn:aws:sts::123456789012:assumed-role/{ROLE}/eks-ml-platform")
    assert said.pop("own prefix") == "ok hello"
    assert {name: answer.split()[-1] for name, answer in said.items()} == dict.fromkeys(DENIED, "AccessDenied")


def test_a_pod_without_an_association_has_no_credentials(deployed: Deployed, namespace: str) -> None:
    said = answers(deployed, namespace, "nobody", "who", "own prefix")
    assert {answer.split()[0] for answer in said.values()} <= {"CredentialRetrievalError", "NoCredentialsError"}


def test_the_autoscaler_resizes_groups_of_its_own_cluster_and_no_others(deployed: Deployed, foreign_group: str) -> None:
    """Another pod of its service account tries this."""
    own = deployed.copy.outputs("aws:eks/nodeGroup:NodeGroup", "nodes-l4-group")
    group = own["resources"][0]["autoscalingGroups"][0]["name"]
    manifest = job(
        "resize",
        "cluster-services",
        RESIZE.format(own=group, foreign=foreign_group),
        serviceAccountName="cluster-autoscaler",
        container_fields={"image": WITH_SDK},
    )
    # What the program's network policy there lets out.
    manifest["spec"]["template"]["metadata"] = {"labels": {"app.kubernetes.io/name": "cluster-autoscaler"}}
    with deployed.created("/apis/batch/v1/namespaces/cluster-services/jobs", manifest) as name:
        said = json.loads(deployed.log_of_job("cluster-services", name).rpartition("said: ")[2])
    assert said == {"own": "ok", "foreign": "AccessDenied", "delete": "AccessDenied", "describe": "ok"}


def test_the_account_lists_the_associations_that_the_program_declared(deployed: Deployed) -> None:
    command = ("aws", "eks", "list-pod-identity-associations", "--cluster-name", CLUSTER, "--query", "associations")
    listed = json.loads(deployed.box.run(*command).stdout)
    named = {(each["namespace"], each["serviceAccount"]) for each in listed if each["serviceAccount"] != "reader"}
    declared = deployed.copy.resources("aws:eks/podIdentityAssociation:PodIdentityAssociation").values()
    own = {(each["outputs"]["namespace"], each["outputs"]["serviceAccount"]) for each in declared}
    of_addons = {
        ("kube-system", association["serviceAccount"])
        for addon in deployed.copy.resources("aws:eks/addon:Addon").values()
        for association in addon["outputs"].get("podIdentityAssociations") or []
    }
    assert named == own | of_addons
    assert ("cluster-services", "cluster-autoscaler") in own
    assert of_addons == {("kube-system", "aws-node"), ("kube-system", "ebs-csi-controller-sa")}


def test_the_account_lists_the_add_ons_that_the_program_declared_in_their_versions(deployed: Deployed) -> None:
    declared = {
        each["outputs"]["addonName"]: each["outputs"]["addonVersion"]
        for each in deployed.copy.resources("aws:eks/addon:Addon").values()
    }
    command = ("aws", "eks", "list-addons", "--cluster-name", CLUSTER, "--query", "addons")
    assert set(json.loads(deployed.box.run(*command).stdout)) == declared.keys()
    eks = deployed.box.client("eks")

    def healthy() -> bool:
        found = [eks.describe_addon(clusterName=CLUSTER, addonName=name)["addon"] for name in declared]
        assert {each["addonName"]: each["addonVersion"] for each in found} == declared
        return all(each["status"] == "ACTIVE" for each in found)

    eventually(healthy, "all add-ons are active", 60)
