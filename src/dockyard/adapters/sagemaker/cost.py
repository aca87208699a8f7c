"""Owns how the cost of a deployment or a job is told. Must not find prices out."""

from __future__ import annotations

from dockyard.adapters.sagemaker.prices import RegionPrices
from dockyard.domain.sagemaker import Instances, SageMakerPolicy, SageMakerSettings, Serverless
from dockyard.domain.sagemaker_host import make_host

_MONTH_HOURS = 730
_SAMPLE_REQUESTS = 1000


def describe_cost(settings: SageMakerSettings, policy: SageMakerPolicy, region: str, prices: RegionPrices | None) -> str | None:
    """What a deployment costs by the hour and the month, or by its requests; None where no price is known."""
    if prices is None:
        return None
    suffix = f"{region}, prices of {prices.as_of}"
    if isinstance(settings.capacity, Serverless):
        return _describe_serverless(settings.capacity, suffix, prices)
    counts = _count_instances(settings, settings.capacity, policy)
    return _describe_instances(settings.capacity, counts, suffix, prices)


def describe_job_cost(instances: Instances, region: str, prices: RegionPrices | None) -> str | None:
    """What a job costs by the hour that it runs, by the prices of endpoints' instances; None where no price is known."""
    price = prices.hourly.get(instances.instance_type) if prices else None
    if prices is None or price is None:
        return None
    hourly = _show_small(price * instances.count)
    what = f"{instances.count} x {instances.instance_type}, {region}, prices of {prices.as_of}"
    return f"about {hourly} an hour while the job runs ({what})"


def _count_instances(settings: SageMakerSettings, capacity: Instances, policy: SageMakerPolicy) -> tuple[int, int]:
    """The fewest and the most."""
    if settings.component is not None:
        host = make_host(settings, policy)
        return host.least, host.most
    return (policy.scaling.minimum, policy.scaling.maximum) if policy.scaling else (capacity.count, capacity.count)


def _describe_instances(capacity: Instances, counts: tuple[int, int], suffix: str, prices: RegionPrices) -> str | None:
    price = prices.hourly.get(capacity.instance_type)
    if price is None:
        return None
    hourly = _range(*(_show_small(price * count) for count in counts))
    monthly = _range(*(f"${price * count * _MONTH_HOURS:,.0f}" for count in counts))
    how_many = _range(*(str(count) for count in counts))
    return f"about {hourly} an hour, {monthly} a month ({how_many} x {capacity.instance_type}, {suffix})"


def _describe_serverless(capacity: Serverless, suffix: str, prices: RegionPrices) -> str | None:
    price = prices.serverless.get(str(capacity.memory_mb))
    if price is None:
        return None
    kept = ", and provisioned concurrency always" if capacity.provisioned_concurrency else ", nothing without any"
    amount = _show_small(price * _SAMPLE_REQUESTS)
    return f"about {amount} for {_SAMPLE_REQUESTS} requests of a second each{kept} ({capacity.memory_mb} MB, {suffix})"


def _range(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"


def _show_small(amount: float) -> str:
    """Dollars with as many digits as say something, two at least where there are cents."""
    text = f"{amount:.4f}".rstrip("0")
    whole, _, cents = text.partition(".")
    return f"${int(whole):,}.{cents:0<2}" if cents else f"${int(whole):,}"
