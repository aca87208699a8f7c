"""Owns the port Preflight: what can be known about a deployment before anything is made. Changes nothing in the account."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NoReturn

from dockyard.adapters.sagemaker import cost, instances
from dockyard.adapters.sagemaker.clients import Clients, describe_failure, list_failures
from dockyard.adapters.sagemaker.look_at_places import PLACE_LOOKS
from dockyard.adapters.sagemaker.look_at_role import ROLE_LOOKS
from dockyard.adapters.sagemaker.looks import Scene, take_look
from dockyard.adapters.sagemaker.price_list import SOURCE, fetch_prices
from dockyard.adapters.sagemaker.prices import PriceBook
from dockyard.adapters.sagemaker.settings_rules import find_body_limit, find_contradictions
from dockyard.adapters.sagemaker.validation import Problem, check_request
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import DockyardError, UsageError
from dockyard.domain.finding import Finding, approve, object_to, warn
from dockyard.domain.sagemaker import (
    Instances,
    SageMakerPolicy,
    SageMakerSettings,
    derive_endpoint_name,
    derive_role_name,
    describe_capacity,
)

Render = Callable[[DeploymentKey, SageMakerSettings, SageMakerPolicy], Iterable[tuple[str, str, Mapping[str, object]]]]
"""All requests of a deployment, with placeholders for names: service, operation, and what boto3 is given."""


class SageMakerPreflight:
    """Preflight for one account and region."""

    def __init__(self, clients: Clients, render: Render, prices: PriceBook) -> None:
        self._clients = clients
        self._render = render
        self._prices = prices

    def check_settings(self, key: DeploymentKey, settings: SageMakerSettings, policy: SageMakerPolicy) -> None:
        """Check every value against the service's model and its other rules. Raises UsageError `setting-invalid`."""
        problems = list(find_contradictions(settings, policy))
        for service, operation, params in self._render(key, settings, policy):
            problems += check_request(service, operation, params)
        if problems:
            _raise_problems(tuple(dict.fromkeys(problems)))

    def choose_platform(self, settings: SageMakerSettings) -> str:
        """The platform of the instances."""
        return instances.choose_platform(settings)

    def examine(self, key: DeploymentKey, settings: SageMakerSettings, package_group: str | None = None) -> tuple[Finding, ...]:
        """Look at credentials, role, permissions, quota and places; without credentials at nothing else."""
        failures = list_failures()
        try:
            account = self._clients.account()
            caller = str(self._clients.client("sts").get_caller_identity()["Arn"])
        except failures as error:
            return (_tell_no_credentials(error),)
        endpoint = derive_endpoint_name(key.environment, key.name)
        own = f"arn:{account.partition}:iam::{account.id}:role/{derive_role_name(endpoint)}"
        chosen = settings if settings.role else dataclasses.replace(settings, role=own)
        scene = Scene(
            clients=self._clients,
            account=account,
            caller=caller,
            endpoint=endpoint,
            settings=chosen,
            package_group=package_group,
        )
        looks = (finding for look in (*ROLE_LOOKS, *PLACE_LOOKS) for finding in take_look(look, scene))
        return (
            approve("credentials", f"AWS account {account.id} in {account.region}, as {caller}"),
            *looks,
            *self._tell(scene),
        )

    def describe_cost(self, settings: SageMakerSettings, policy: SageMakerPolicy) -> str | None:
        """What it costs; None where no price is known."""
        region = self._clients.account().region
        return cost.describe_cost(settings, policy, region, self._prices.find_region(region))

    def describe_job_cost(self, instances: Instances) -> str | None:
        """What a job costs; None where no price is known."""
        region = self._clients.account().region
        return cost.describe_job_cost(instances, region, self._prices.find_region(region))

    def refresh_prices(self) -> Finding:
        """Fetch the region's prices and keep them; they count more than those that came with Dockyard."""
        failures: tuple[type[Exception], ...] = (*list_failures(), ValueError, KeyError, OSError)
        remedy = "allow pricing:GetProducts; until then the prices that came with Dockyard count"
        try:
            region = self._clients.account().region
            prices = fetch_prices(self._clients, region)
            if not prices.hourly:
                return warn("prices", f"the price list of AWS has no endpoints in {region}", "is the region right?")
            self._prices.save_region(region, prices, SOURCE)
        except failures as error:
            return warn("prices", f"the prices cannot be fetched: {describe_failure(error)}", remedy)
        return approve(
            "prices", f"the price list of {prices.as_of} for {region} is fetched: instance types {len(prices.hourly)}"
        )

    def _tell(self, scene: Scene) -> Iterator[Finding]:
        settings, region = scene.settings, scene.account.region
        what = describe_capacity(settings.capacity)
        limit = find_body_limit(settings) // 1024**2
        yield approve(
            "capacity", f"{what}: runs {instances.choose_platform(settings)} images, takes requests of {limit} MB at most"
        )
        told = cost.describe_cost(settings, SageMakerPolicy(), region, self._prices.find_region(region))
        if told:
            yield approve("cost", told)
        else:
            remedy = "fetch the prices of the region: `dockyard doctor sagemaker --refresh-prices`"
            yield warn("cost", f"no price is known for {what} in {region}", remedy)


def _tell_no_credentials(error: Exception) -> Finding:
    remedy = "sign in as for the AWS command line: `aws sso login`, AWS_PROFILE, or AWS_ACCESS_KEY_ID and its secret"
    if isinstance(error, DockyardError):
        return object_to("credentials", error.message, error.hint or remedy)
    return object_to("credentials", f"AWS gives no account for the credentials: {describe_failure(error)}", remedy)


def _raise_problems(problems: tuple[Problem, ...]) -> NoReturn:
    hint = "the limits are those of SageMaker itself; nothing was sent"
    if len(problems) == 1:
        raise UsageError("setting-invalid", str(problems[0]), hint=hint)
    count = len({one.place for one in problems})
    what = "a setting has a value" if count == 1 else f"{count} settings have values"
    lines = tuple(str(one) for one in problems)
    raise UsageError("setting-invalid", f"{what} that SageMaker does not take", hint=hint, details=lines)
