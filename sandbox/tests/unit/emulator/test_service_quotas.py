"""Quotas of running instances in the emulated account: AWS's names and defaults, and stored increases."""

import pytest
from botocore.exceptions import ClientError

from components.service_quotas import ON_DEMAND, SPOT
from sandbox.tests.unit.emulator.emulated import Emulated

GPUS = {"ServiceCode": "ec2", "QuotaCode": "L-DB2E81BA"}


def test_every_quota_that_the_program_asks_for_is_there_with_awss_default(emulated: Emulated):
    client = emulated.client("service-quotas")
    listed = {each["QuotaCode"]: each for each in client.list_service_quotas(ServiceCode="ec2")["Quotas"]}
    for quota in {*ON_DEMAND.values(), *SPOT.values()}:
        found = client.get_service_quota(ServiceCode="ec2", QuotaCode=quota.code)["Quota"]
        assert found == listed[quota.code]
        assert (found["QuotaName"], found["Value"]) == (quota.name, quota.default)


def test_a_raise_is_granted_and_outlives_a_restart(emulated: Emulated):
    asked = emulated.client("service-quotas").request_service_quota_increase(**GPUS, DesiredValue=64.0)
    assert asked["RequestedQuota"]["Status"] == "APPROVED"
    emulated.service.close()
    emulated.start()
    client = emulated.client("service-quotas")
    assert client.get_service_quota(**GPUS)["Quota"]["Value"] == 64
    assert client.get_aws_default_service_quota(**GPUS)["Quota"]["Value"] == 0


def test_less_than_there_is_and_what_does_not_exist_are_refused(emulated: Emulated):
    client = emulated.client("service-quotas")
    with pytest.raises(ClientError, match=r"greater than the current quota value of 0\.0"):
        client.request_service_quota_increase(**GPUS, DesiredValue=0.0)
    with pytest.raises(ClientError, match="NoSuchResourceException"):
        client.get_service_quota(ServiceCode="ec2", QuotaCode="L-00000000")
    with pytest.raises(ClientError, match="only ec2"):
        client.list_service_quotas(ServiceCode="rds")
