"""Admission rules for pods of teams and for Jobs of conductors: their namespaces and their subjects."""

import pytest

from components.pod_identity import NEEDS_ROLE
from ml_workloads.project import deployment_names
from mlp.recording import Deploy, Recorded, RecordingCloud
from platform_services.admission import OTHERS, Admission
from platform_services.admission_rules import (
    CONDUCTOR,
    DEVICES,
    STARTED,
    TEAM_PRIORITIES,
    conductor_rules,
    pod_rules,
    role_rules,
    started_rules,
)
from platform_services.classes import PRIORITIES
from platform_services.namespaces import NAMESPACES

POLICY = "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy"
BINDING = f"{POLICY}Binding"
PODS, NETWORK, JOBS = "pods-of-teams", "network-policies-of-teams", "jobs-of-conductors"
WITH_ROLES, STARTED_JOBS = "pods-with-roles-on-aws", "jobs-as-their-cronjobs"


@pytest.fixture
def cloud(deploy: Deploy) -> RecordingCloud:
    return deploy(lambda: Admission("admission"))[1]


def policy(cloud: RecordingCloud, name: str) -> Recorded:
    [found] = [each for each in cloud.of_type(POLICY) if each.inputs["metadata"]["name"] == name]
    return found


def test_they_hold_everywhere_but_in_the_namespaces_of_kubernetes_and_of_the_platform(cloud: RecordingCloud):
    policies = [each for each in cloud.of_type(POLICY) if each.inputs["metadata"]["name"] != WITH_ROLES]
    assert {each.inputs["metadata"]["name"] for each in policies} == {PODS, NETWORK, JOBS, STARTED_JOBS}
    for each in policies:
        [expression] = each.inputs["spec"]["matchConstraints"]["namespaceSelector"]["matchExpressions"]
        assert (expression["operator"], expression["values"]) == ("NotIn", sorted(OTHERS))
        assert each.inputs["spec"]["failurePolicy"] == "Fail"
    assert set(OTHERS) == {*NAMESPACES, "kube-system", "kube-public", "kube-node-lease"}


def test_pods_that_need_a_role_are_refused_without_its_variables_in_every_namespace(cloud: RecordingCloud):
    spec = policy(cloud, WITH_ROLES).inputs["spec"]
    matched = spec["matchConstraints"]
    assert matched["objectSelector"] == {"matchLabels": dict(NEEDS_ROLE)}
    assert "namespaceSelector" not in matched
    [rule] = matched["resourceRules"]
    assert (rule["resources"], rule["operations"], spec["failurePolicy"]) == (["pods"], ["CREATE"], "Fail")
    [rule] = role_rules()
    for kind in ("containers", "initContainers"):
        assert f"object.spec.{kind}.all(each," in rule.holds
    assert "'AWS_CONTAINER_CREDENTIALS_FULL_URI'" in rule.holds


def test_every_policy_is_bound_and_denies(cloud: RecordingCloud):
    bound = [each.inputs["spec"] for each in cloud.of_type(BINDING)]
    names = sorted(spec["policyName"] for spec in bound)
    assert names == sorted([PODS, NETWORK, JOBS, STARTED_JOBS, STARTED_JOBS, WITH_ROLES])
    assert all(spec["validationActions"] == ["Deny"] for spec in bound)
    for key in ("paramRef", "matchResources"):
        assert [spec["policyName"] for spec in bound if key in spec] == [STARTED_JOBS, STARTED_JOBS]


def test_jobs_of_conductors_are_held_against_their_cronjob_and_refused_without_it(cloud: RecordingCloud):
    """Without the CronJob or its binding, a rule that refers to it would allow everything."""
    bound = [each.inputs["spec"] for each in cloud.of_type(BINDING)]
    compared = [spec for spec in bound if spec["policyName"] == STARTED_JOBS]
    assert sorted(spec["paramRef"]["name"] for spec in compared) == sorted(STARTED)
    for spec in compared:
        assert spec["paramRef"]["parameterNotFoundAction"] == "Deny"
        # Without a namespace it is that of the Job: https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
        assert not {"namespace", "selector"} & set(spec["paramRef"])
    assert policy(cloud, STARTED_JOBS).inputs["spec"]["paramKind"] == {"apiVersion": "batch/v1", "kind": "CronJob"}


def test_a_missing_cronjob_denies_jobs_that_have_its_name_and_no_others(cloud: RecordingCloud):
    """The API server looks up the parameter before it checks the Job's creator: nobody could create any Job."""
    bound = [each.inputs["spec"] for each in cloud.of_type(BINDING)]
    for spec in (spec for spec in bound if spec["policyName"] == STARTED_JOBS):
        selected = spec["matchResources"]["objectSelector"]["matchLabels"]
        assert selected == {"app.kubernetes.io/name": spec["paramRef"]["name"]}


def test_a_binding_has_a_name_of_its_own(cloud: RecordingCloud):
    names = [each.inputs["metadata"]["name"] for each in cloud.of_type(BINDING)]
    assert len(set(names)) == len(names) == 6


def test_only_what_conductors_create_is_held_against_the_cronjobs(cloud: RecordingCloud):
    """People and the CronJob controller create Jobs in these namespaces too."""
    for name in (JOBS, STARTED_JOBS):
        spec = policy(cloud, name).inputs["spec"]
        [rule] = spec["matchConstraints"]["resourceRules"]
        assert (rule["apiGroups"], rule["resources"], rule["operations"]) == (["batch"], ["jobs"], ["CREATE"])
        [condition] = spec["matchConditions"]
        assert condition["expression"] == (
            "request.userInfo.username == 'system:serviceaccount:' + request.namespace + ':conductor'"
        )
    for name in (PODS, NETWORK):
        assert not {"paramKind", "matchConditions"} & set(policy(cloud, name).inputs["spec"])


def test_a_conductors_job_is_its_cronjobs_pod_with_the_label_that_network_policies_go_by():
    holds = " && ".join(rule.holds for rule in (*conductor_rules(), *started_rules()))
    assert "in ['fit', 'worker']" in holds
    assert "object.spec.template.spec == params.spec.jobTemplate.spec.template.spec" in holds
    assert (
        "object.spec.template.metadata.?labels[?'app.kubernetes.io/name'].orValue('') == params.metadata.name" in holds
    )


def test_the_names_are_those_that_projects_are_deployed_with():
    assert STARTED == (deployment_names.FIT, deployment_names.WORKER)
    assert CONDUCTOR == deployment_names.CONDUCTOR


def test_every_device_and_every_class_of_priority_is_spoken_of():
    text = " ".join(rule.holds for rule in pod_rules())
    assert set(DEVICES) == {"nvidia.com/gpu", "aws.amazon.com/neuron"}
    assert all(f"'{device}'" in text for device in DEVICES)
    assert set(TEAM_PRIORITIES) == set(PRIORITIES) - {"platform"}


def test_every_rule_says_what_to_write_instead():
    for rule in (*pod_rules(), *conductor_rules(), *started_rules(), *role_rules()):
        assert len(rule.message) > 20
        assert rule.holds.count("(") == rule.holds.count(")")
