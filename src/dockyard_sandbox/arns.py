"""Names of resources across the account.

Owns how ARNs are made and read. Names in SageMaker's ARNs are lower case, whatever the case of the name.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from botocore.session import Session

ACCOUNT = "123456789012"
"""moto's account, so that everything on the port is in one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A region of the account."""

    region: str
    partition: str
    account: str = ACCOUNT

    def name_resource(self, kind: str, name: str) -> str:
        """The ARN of a SageMaker resource, such as `model` `a`."""
        return f"arn:{self.partition}:sagemaker:{self.region}:{self.account}:{kind}/{name.lower()}"


@cache
def find_place(region: str) -> Place:
    """The place that a region is; one that botocore does not know is in partition `aws`."""
    return Place(region=region, partition=_find_partition(region))


def _find_partition(region: str) -> str:
    session = Session()
    for partition in session.get_available_partitions():
        if region in session.get_available_regions("sagemaker", partition_name=partition):
            return str(partition)
    return "aws"


def read_kind(arn: str) -> tuple[str, str]:
    """`("model", "a")` out of a SageMaker ARN. Raises ValueError."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[2] != "sagemaker" or "/" not in parts[5]:
        raise ValueError(f"{arn!r} is no ARN of a SageMaker resource")
    kind, _, name = parts[5].partition("/")
    return kind, name
