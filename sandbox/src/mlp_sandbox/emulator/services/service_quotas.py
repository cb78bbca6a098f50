"""Service Quotas: the limits on running EC2 instances, with the defaults of a new account.

https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html
"""

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.services.registry import Call, Result, extends

_STANDARD = "Standard (A, C, D, H, I, M, R, T, Z)"
# Code -> name and default, in virtual processors.
EC2 = {
    "L-1216C47A": (f"Running On-Demand {_STANDARD} instances", 5.0),
    "L-DB2E81BA": ("Running On-Demand G and VT instances", 0.0),
    "L-417A185B": ("Running On-Demand P instances", 0.0),
    "L-1945791B": ("Running On-Demand Inf instances", 0.0),
    "L-2C3B7624": ("Running On-Demand Trn instances", 0.0),
    "L-34B43A08": (f"All {_STANDARD} Spot Instance Requests", 5.0),
    "L-3819A6DF": ("All G and VT Spot Instance Requests", 0.0),
    "L-7212CCBC": ("All P4, P3 and P2 Spot Instance Requests", 0.0),
    "L-C4BD4855": ("All P5 Spot Instance Requests", 0.0),
    "L-B5D1601B": ("All Inf Spot Instance Requests", 0.0),
    "L-6B0D517C": ("All Trn Spot Instance Requests", 0.0),
}


@extends("service-quotas", "GetServiceQuota")
def get_quota(call: Call) -> Result:
    """Return the account's quota: the default, or the requested increase."""
    return call.proceed() if call.params["ServiceCode"] != "ec2" else {"Quota": _quota(call, call.params["QuotaCode"])}


@extends("service-quotas", "ListServiceQuotas")
def list_quotas(call: Call) -> Result:
    """List all EC2 quotas known here, on one page."""
    _only_ec2(call)
    return {"Quotas": [_quota(call, code) for code in sorted(EC2)]}


@extends("service-quotas", "GetAWSDefaultServiceQuota")
def get_default(call: Call) -> Result:
    """Return the default quota of a new account."""
    _only_ec2(call)
    return {"Quota": _quota(call, call.params["QuotaCode"], default=True)}


@extends("service-quotas", "RequestServiceQuotaIncrease")
def request_increase(call: Call) -> Result:
    """Grant an increase at once; AWS takes days, and may reject it."""
    _only_ec2(call)
    quota, wanted = _quota(call, call.params["QuotaCode"]), float(call.params["DesiredValue"])
    if wanted <= quota["Value"]:
        raise Fault(
            "IllegalArgumentException",
            f"You must provide a quota value greater than the current quota value of {quota['Value']}.",
        )
    call.remembered("service-quotas")[quota["QuotaCode"]] = wanted
    return {
        "RequestedQuota": {
            "Id": f"granted-{quota['QuotaCode']}",
            "ServiceCode": "ec2",
            "QuotaCode": quota["QuotaCode"],
            "QuotaName": quota["QuotaName"],
            "DesiredValue": wanted,
            "Status": "APPROVED",
        }
    }


def _only_ec2(call: Call) -> None:
    if call.params["ServiceCode"] != "ec2":
        raise Fault("NoSuchResourceException", f"service {call.params['ServiceCode']} has no quotas here, only ec2")


def _quota(call: Call, code: str, *, default: bool = False) -> Result:
    if code not in EC2:
        raise Fault("NoSuchResourceException", "The request failed because the specified quota does not exist.")
    name, value = EC2[code]
    identity = call.identity
    return {
        "ServiceCode": "ec2",
        "ServiceName": "Amazon Elastic Compute Cloud (Amazon EC2)",
        "QuotaArn": f"arn:aws:servicequotas:{identity.region}:{identity.account}:ec2/{code}",
        "QuotaCode": code,
        "QuotaName": name,
        "Value": value if default else call.remembered("service-quotas").get(code, value),
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
    }
