"""What a deployment costs is told from a table with a date; a table that was fetched counts more than the shipped one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dockyard.adapters.sagemaker.cost import describe_cost, describe_job_cost
from dockyard.adapters.sagemaker.price_list import fetch_prices
from dockyard.adapters.sagemaker.prices import PriceBook, RegionPrices
from dockyard.adapters.sagemaker.shapes import find_shape, list_values
from dockyard.domain.sagemaker import (
    AsyncInference,
    Instances,
    SageMakerPolicy,
    SageMakerSettings,
    Scaling,
    Serverless,
)
from dockyard.domain.sagemaker_component import Component
from support.fake_aws import FakeClients

ROLE = "arn:aws:iam::123456789012:role/wine"
PRICES = RegionPrices(as_of="2026-09", hourly={"ml.m5.large": 0.115, "ml.g5.48xlarge": 20.36}, serverless={"2048": 0.00004})
ALWAYS = SageMakerPolicy()
SERVERLESS_END = "(2048 MB, us-east-1, prices of 2026-09)"


def tell(capacity: Instances | Serverless, policy: SageMakerPolicy = ALWAYS) -> str | None:
    return describe_cost(SageMakerSettings(role=ROLE, capacity=capacity), policy, "us-east-1", PRICES)


@pytest.mark.parametrize(
    ("capacity", "told"),
    [
        (Instances(), "about $0.115 an hour, $84 a month (1 x ml.m5.large, us-east-1, prices of 2026-09)"),
        (Instances(count=4), "about $0.46 an hour, $336 a month (4 x ml.m5.large, us-east-1, prices of 2026-09)"),
        (
            Instances(instance_type="ml.g5.48xlarge", count=5),
            "about $101.80 an hour, $74,314 a month (5 x ml.g5.48xlarge, us-east-1, prices of 2026-09)",
        ),
        (Instances(instance_type="ml.p5.48xlarge"), None),
        (
            Serverless(memory_mb=2048, max_concurrency=5),
            f"about $0.04 for 1000 requests of a second each, nothing without any {SERVERLESS_END}",
        ),
        (
            Serverless(memory_mb=2048, max_concurrency=5, provisioned_concurrency=1),
            f"about $0.04 for 1000 requests of a second each, and provisioned concurrency always {SERVERLESS_END}",
        ),
        (Serverless(memory_mb=1024, max_concurrency=5), None),
    ],
)
def test_cost_is_told_by_hour_and_month_or_by_request(capacity: Instances | Serverless, told: str | None) -> None:
    assert tell(capacity) == told


@pytest.mark.parametrize(
    ("instances", "told"),
    [
        (Instances(), "about $0.115 an hour while the job runs (1 x ml.m5.large, us-east-1, prices of 2026-09)"),
        (
            Instances(instance_type="ml.g5.48xlarge", count=5),
            "about $101.80 an hour while the job runs (5 x ml.g5.48xlarge, us-east-1, prices of 2026-09)",
        ),
        (Instances(instance_type="ml.p5.48xlarge"), None),
    ],
)
def test_cost_of_a_job_is_told_by_the_hour_that_it_runs(instances: Instances, told: str | None) -> None:
    assert describe_job_cost(instances, "us-east-1", PRICES) == told
    assert describe_job_cost(instances, "mars-north-1", None) is None


def test_cost_of_scaling_is_a_range() -> None:
    policy = SageMakerPolicy(scaling=Scaling(minimum=0, maximum=4, invocations_per_instance=10))

    assert tell(Instances(), policy) == (
        "about $0 to $0.46 an hour, $0 to $336 a month (0 to 4 x ml.m5.large, us-east-1, prices of 2026-09)"
    )


def test_cost_of_a_component_is_that_of_the_instances_that_copies_may_take() -> None:
    settings = SageMakerSettings(role=ROLE, component=Component(memory_mb=1024, max_instances=3))
    sleepy = SageMakerPolicy(scaling=Scaling(minimum=0, maximum=9, invocations_per_instance=10))

    assert describe_cost(settings, ALWAYS, "us-east-1", PRICES) == (
        "about $0.115 to $0.345 an hour, $84 to $252 a month (1 to 3 x ml.m5.large, us-east-1, prices of 2026-09)"
    )
    assert (describe_cost(settings, sleepy, "us-east-1", PRICES) or "").endswith(
        "(0 to 3 x ml.m5.large, us-east-1, prices of 2026-09)"
    )


def test_nothing_is_told_of_a_region_without_prices() -> None:
    settings = SageMakerSettings(role=ROLE, asynchronous=AsyncInference(output="s3://b"))

    assert describe_cost(settings, ALWAYS, "mars-north-1", None) is None


def test_shipped_table_has_prices_of_instance_types_that_there_are(tmp_path: Path) -> None:
    known = set(list_values(find_shape("sagemaker", "ProductionVariantInstanceType")))
    shipped = {
        region: PriceBook(tmp_path).find_region(region) for region in ("us-east-1", "us-east-2", "us-west-2", "eu-west-1")
    }

    for prices in shipped.values():
        assert prices is not None
        assert prices.as_of[:4].isdigit()
        assert set(prices.hourly) <= known
        assert all(0 < price < 200 for price in prices.hourly.values())
        assert "ml.m5.large" in prices.hourly


def test_every_shipped_table_is_sorted_by_size_within_a_family(tmp_path: Path) -> None:
    """A larger instance of a family never costs less, which would be a slip of the pen; g5 and g6 mix accelerators."""
    prices = PriceBook(tmp_path).find_region("us-east-1")

    assert prices is not None
    m5 = [prices.hourly[f"ml.m5.{size}"] for size in ("large", "xlarge", "2xlarge", "4xlarge", "12xlarge", "24xlarge")]
    assert m5 == sorted(m5)
    assert [round(price / m5[0]) for price in m5] == [1, 2, 4, 8, 24, 48]


def test_fetched_prices_count_more_than_the_shipped_ones(tmp_path: Path) -> None:
    book = PriceBook(tmp_path)

    book.save_region("us-east-1", PRICES, "a list")
    book.save_region("eu-north-1", RegionPrices(as_of="2026-10", hourly={}, serverless={}), "a list")

    assert PriceBook(tmp_path).find_region("us-east-1") == PRICES
    assert book.find_region("us-west-2") != PRICES


@pytest.mark.parametrize("content", [b"", b"{}", b"not JSON", b'{"source": "x", "regions": {"us-east-1": 5}}'])
def test_damaged_cache_is_as_good_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "sagemaker-prices.json").write_bytes(content)

    prices = PriceBook(tmp_path).find_region("us-east-1")

    assert prices is not None
    assert prices.hourly["ml.m5.large"] == 0.115


def offer(price: str, *, published: str = "2026-11-20T00:00:00Z", **attributes: str) -> str:
    rates = {"SKU.T.R": {"unit": "Hrs", "pricePerUnit": {"USD": price}}}
    product = {"productFamily": "ML Instance", "attributes": attributes}
    return json.dumps(
        {"product": product, "terms": {"OnDemand": {"SKU.T": {"priceDimensions": rates}}}, "publicationDate": published}
    )


def test_price_list_is_read_page_by_page_without_what_has_no_price() -> None:
    hosting = [
        {"PriceList": [offer("0.1280000000", component="Hosting", instanceType="ml.m5.large-Hosting")]},
        {
            "PriceList": [
                offer("0.257", component="Hosting", instanceName="ml.m5.xlarge", published="2026-11-21T00:00:00Z"),
                offer("0", component="Hosting", instanceName="ml.free.large"),
                json.dumps({"product": {"attributes": {"component": "Hosting"}}, "terms": {}}),
            ]
        },
    ]
    serverless = [{"PriceList": [offer("0.00004", usagetype="EU-ServerlessInf:Mem-2GB"), offer("1", usagetype="EU-Other")]}]

    def list_products(**arguments: object) -> list[dict[str, list[str]]]:
        return hosting if "Hosting" in str(arguments["Filters"]) else serverless

    clients = FakeClients(services={"pricing": {"get_products": list_products}})

    assert fetch_prices(clients, "eu-west-1") == RegionPrices(
        as_of="2026-11-21", hourly={"ml.m5.large": 0.128, "ml.m5.xlarge": 0.257}, serverless={"2048": 0.00004}
    )
    for _, arguments in clients.clients["pricing"].calls:
        assert {"Type": "TERM_MATCH", "Field": "regionCode", "Value": "eu-west-1"} in arguments["Filters"]
