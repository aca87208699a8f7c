"""The price list, as far as a few common instance types for endpoints go.

Owns made-up but plausible prices and the shape of a price list's entries. Must not be taken for AWS's prices.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from dockyard_sandbox.errors import ApiError
from dockyard_sandbox.fields import Fields
from dockyard_sandbox.operations.call import ApiCall, Operations
from dockyard_sandbox.operations.listing import cut_page

_PER_LARGE = {
    "t2": 0.111,
    "t3": 0.1,
    "m4": 0.12,
    "m5": 0.115,
    "m6i": 0.115,
    "m7i": 0.121,
    "c5": 0.102,
    "c6i": 0.102,
    "r5": 0.151,
}
_SIZES = {"medium": 0.5, "large": 1, "xlarge": 2, "2xlarge": 4, "4xlarge": 8, "12xlarge": 24, "24xlarge": 48}
_PAGE = 100
PUBLISHED = "2026-01-01T00:00:00Z"


def offer_pricing_operations() -> Operations:
    """The operations by name."""
    return {"GetProducts": get_products}


def get_products(call: ApiCall) -> Mapping[str, object]:
    """GetProducts of AmazonSageMaker: products that have all the wanted attributes, each a JSON text."""
    request = call.request
    if request.text("ServiceCode") != "AmazonSageMaker":
        raise ApiError("NotFoundException", "The sandbox has prices of AmazonSageMaker only.")
    filters = {one.text("Field"): one.text("Value") for one in request.items_of("Filters")}
    region = filters.get("regionCode", call.world.place.region)
    products = [
        _make_product(f"ml.{family}.{size}", region, price * factor)
        for family, price in _PER_LARGE.items()
        for size, factor in _SIZES.items()
    ]
    page = cut_page([one for one in products if _fits(one, filters)], request, "PriceList", size=_PAGE)
    listed = page["PriceList"]
    return {
        **page,
        "FormatVersion": "aws_v1",
        "PriceList": [json.dumps(one) for one in listed] if isinstance(listed, list) else [],
    }


def _fits(product: Mapping[str, object], filters: Mapping[str, str]) -> bool:
    attributes = Fields(product).child("product").child("attributes")
    return all(attributes.text(name) == value for name, value in filters.items())


def _make_product(instance_type: str, region: str, price: float) -> Mapping[str, object]:
    sku = instance_type.replace(".", "").upper()
    rate = {
        "unit": "Hrs",
        "description": f"${price:.4f} per Hosting {instance_type} hour in {region}",
        "pricePerUnit": {"USD": f"{price:.10f}"},
    }
    attributes = {
        "servicecode": "AmazonSageMaker",
        "regionCode": region,
        "component": "Hosting",
        "instanceName": instance_type,
        "instanceType": f"{instance_type}-Hosting",
        "usagetype": f"Host:{instance_type}",
    }
    return {
        "product": {"productFamily": "ML Instance", "attributes": attributes, "sku": sku},
        "serviceCode": "AmazonSageMaker",
        "terms": {"OnDemand": {f"{sku}.T": {"priceDimensions": {f"{sku}.T.R": rate}}}},
        "publicationDate": PUBLISHED,
    }
