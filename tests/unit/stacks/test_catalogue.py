"""The tables of regions and retention periods agree with AWS's own data."""

from typing import Any

import botocore.session

from components.log_retention import RETENTION_DAYS
from components.network.endpoint_services import ENDPOINT_SERVICES, PRIVATE_NODE_SERVICES
from stacks.settings.regions import REGIONS


def test_regions_are_those_that_have_eks():
    assert set(REGIONS) == set(botocore.session.get_session().get_available_regions("eks"))


def test_retention_periods_are_those_of_the_api():
    """The list is prose in the operation's documentation string."""
    model: Any = botocore.session.get_session().get_service_model("logs")
    text: str = model.shape_for("PutRetentionPolicyRequest").members["retentionInDays"].documentation
    prose = [int(word) for word in text.replace(",", " ").replace(".", " ").replace("<", " ").split() if word.isdigit()]
    assert set(RETENTION_DAYS) <= set(prose)
    assert list(RETENTION_DAYS) == sorted(RETENTION_DAYS)


def test_endpoints_that_private_nodes_need_are_known():
    assert set(PRIVATE_NODE_SERVICES) <= set(ENDPOINT_SERVICES)
