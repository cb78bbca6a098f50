"""Number of pods per instance that can have their own network interface, by instance type.

The tables cover the instance families that the program knows.
https://github.com/aws/amazon-vpc-resource-controller-k8s/blob/master/pkg/aws/vpc/limits.go
"""

from collections.abc import Mapping

# Numbers of most families; for sizes above 4xlarge, the minimum over all families.
_BY_SIZE: Mapping[str, int] = {
    **{"medium": 4, "large": 9, "xlarge": 18, "2xlarge": 38, "3xlarge": 38, "4xlarge": 54, "8xlarge": 54},
    **{"9xlarge": 54, "12xlarge": 54, "16xlarge": 106, "18xlarge": 107, "24xlarge": 62, "32xlarge": 82},
    **{"48xlarge": 82, "96xlarge": 98},
}
_OTHERS: Mapping[str, int] = {
    **{"m7i-flex.large": 3, "m7i-flex.xlarge": 8, "m7i-flex.2xlarge": 18, "m7i-flex.4xlarge": 34},
    **{"i4i.large": 0, "i4i.xlarge": 6, "i4i.2xlarge": 26, "i4i.4xlarge": 52},
    **{"g4dn.xlarge": 39, "g4dn.2xlarge": 39, "g4dn.4xlarge": 59, "g5.xlarge": 4, "g5.2xlarge": 17, "g5.4xlarge": 34},
    **{"g7e.2xlarge": 120, "g7e.4xlarge": 120, "p5.4xlarge": 58, "trn1.2xlarge": 17},
}
_WITHOUT = frozenset({"t3", "t3a", "t4g"})


def branch_interfaces(instance_type: str) -> int:
    """Return the number for an instance type, or 0 if it has none or is unknown."""
    family, _, size = instance_type.partition(".")
    return 0 if family in _WITHOUT else _OTHERS.get(instance_type, _BY_SIZE.get(size, 0))
