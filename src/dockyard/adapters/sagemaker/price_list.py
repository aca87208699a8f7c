"""Owns fetching prices from AWS's price list, which any credentials with `pricing:GetProducts` may read.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_pricing_GetProducts.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from dockyard.adapters.sagemaker.clients import Clients
from dockyard.adapters.sagemaker.prices import RegionPrices

SOURCE = "AWS Price List API, AmazonSageMaker"
_HOSTING = "Hosting"
_SERVERLESS = re.compile(r"ServerlessInf:Mem-(?P<gigabytes>\d+)GB\Z")
_FILTERS = ({"Field": "component", "Value": _HOSTING}, {"Field": "productFamily", "Value": "ML Serverless"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Offer:
    attributes: Mapping[str, str]
    price: float
    published: str


def fetch_prices(clients: Clients, region: str) -> RegionPrices:
    """The prices of a region as AWS publishes them now; empty where it publishes none. Raises what the SDK raises."""
    hourly: dict[str, float] = {}
    serverless: dict[str, float] = {}
    published = ""
    for offer in _list_offers(clients.client("pricing"), region):
        published = max(published, offer.published)
        memory = _SERVERLESS.search(offer.attributes.get("usagetype", ""))
        if offer.attributes.get("component") == _HOSTING:
            hourly[_read_type(offer.attributes)] = offer.price
        elif memory:
            serverless[str(int(memory["gigabytes"]) * 1024)] = offer.price
    return RegionPrices(as_of=published[:10], hourly=hourly, serverless=serverless)


def _list_offers(client: Any, region: str) -> Iterator[_Offer]:  # noqa: ANN401  boto3 makes its classes at run time
    for wanted in _FILTERS:
        filters = [{"Type": "TERM_MATCH", **one} for one in (wanted, {"Field": "regionCode", "Value": region})]
        pages = client.get_paginator("get_products").paginate(ServiceCode="AmazonSageMaker", Filters=filters)
        for page in pages:
            yield from filter(None, map(_read_offer, page["PriceList"]))


def _read_offer(text: str) -> _Offer | None:
    """One product; None where it has no price by the hour or second on demand."""
    document = json.loads(text)
    terms = document.get("terms", {}).get("OnDemand", {})
    rates = [rate for term in terms.values() for rate in term["priceDimensions"].values()]
    prices = [float(rate["pricePerUnit"].get("USD", 0)) for rate in rates]
    if not prices or not prices[0]:
        return None
    attributes = cast("Mapping[str, str]", document["product"]["attributes"])
    return _Offer(attributes=attributes, price=prices[0], published=str(document.get("publicationDate", "")))


def _read_type(attributes: Mapping[str, str]) -> str:
    """The instance type, which the list writes as `ml.m5.large-Hosting` in one of its attributes."""
    return attributes.get("instanceName") or attributes.get("instanceType", "").removesuffix(f"-{_HOSTING}")
