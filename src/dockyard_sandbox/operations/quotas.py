"""Service Quotas, as far as SageMaker's endpoints go.

Owns the four reading operations. Must not offer requests for more: nobody would answer them.
"""

from __future__ import annotations

from collections.abc import Mapping

from dockyard_sandbox.errors import ApiError
from dockyard_sandbox.operations.call import ApiCall, Operations
from dockyard_sandbox.operations.listing import cut_page
from dockyard_sandbox.quotas import Quotas, make_quota_code, name_quota

_PAGE = 100


class QuotaOperations:
    """The operations."""

    def __init__(self, quotas: Quotas) -> None:
        self._quotas = quotas

    def offer(self) -> Operations:
        """The operations by name."""
        return {
            "ListServiceQuotas": self._list,
            "ListAWSDefaultServiceQuotas": self._list,
            "GetServiceQuota": self._get,
            "GetAWSDefaultServiceQuota": self._get,
        }

    def _list(self, call: ApiCall) -> Mapping[str, object]:
        return cut_page(self._describe_all(call), call.request, "Quotas", size=_PAGE)

    def _get(self, call: ApiCall) -> Mapping[str, object]:
        wanted = call.request.text("QuotaCode")
        for quota in self._describe_all(call):
            if quota["QuotaCode"] == wanted:
                return {"Quota": quota}
        raise ApiError("NoSuchResourceException", "The request failed because the specified quota does not exist.")

    def _describe_all(self, call: ApiCall) -> list[Mapping[str, object]]:
        if call.request.text("ServiceCode") != "sagemaker":
            raise ApiError("NoSuchResourceException", "The request failed because the specified service does not exist.")
        return [self._describe(call, name_quota(name), value) for name, value in self._quotas.list_limits().items()]

    def _describe(self, call: ApiCall, name: str, value: int) -> Mapping[str, object]:
        place, code = call.world.place, make_quota_code(name)
        return {
            "ServiceCode": "sagemaker",
            "ServiceName": "Amazon SageMaker",
            "QuotaArn": f"arn:{place.partition}:servicequotas:{place.region}:{place.account}:sagemaker/{code}",
            "QuotaCode": code,
            "QuotaName": name,
            "Value": float(value),
            "Unit": "None",
            "Adjustable": True,
            "GlobalQuota": False,
        }
