"""Rules for pods of teams: which namespaces they are for, and what they speak of."""

from cli.recording import Deploy
from platform_services.admission import DEVICES, OTHERS, TEAM_PRIORITIES, Admission, pod_rules
from platform_services.classes import PRIORITIES
from platform_services.namespaces import NAMESPACES

POLICY = "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy"
BINDING = f"{POLICY}Binding"


def test_they_hold_everywhere_but_in_the_namespaces_of_kubernetes_and_of_the_platform(deploy: Deploy):
    _, cloud = deploy(lambda: Admission("admission"))
    policies = cloud.of_type(POLICY)
    assert {each.inputs["metadata"]["name"] for each in policies} == {"pods-of-teams", "network-policies-of-teams"}
    for each in policies:
        [expression] = each.inputs["spec"]["matchConstraints"]["namespaceSelector"]["matchExpressions"]
        assert (expression["operator"], expression["values"]) == ("NotIn", sorted(OTHERS))
        assert each.inputs["spec"]["failurePolicy"] == "Fail"
    assert set(OTHERS) == {*NAMESPACES, "kube-system", "kube-public", "kube-node-lease"}


def test_every_policy_is_bound_and_denies(deploy: Deploy):
    _, cloud = deploy(lambda: Admission("admission"))
    bound = {each.inputs["spec"]["policyName"]: each.inputs["spec"] for each in cloud.of_type(BINDING)}
    assert bound.keys() == {"pods-of-teams", "network-policies-of-teams"}
    assert all(spec["validationActions"] == ["Deny"] for spec in bound.values())
    assert not any({"matchResources", "paramRef"} & set(spec) for spec in bound.values())


def test_every_device_and_every_class_of_priority_is_spoken_of():
    text = " ".join(rule.holds for rule in pod_rules())
    assert set(DEVICES) == {"nvidia.com/gpu", "aws.amazon.com/neuron"}
    assert all(f"'{device}'" in text for device in DEVICES)
    assert set(TEAM_PRIORITIES) == set(PRIORITIES) - {"platform"}
