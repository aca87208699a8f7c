"""Owns the rules between members of a request, which the service's model does not have. Contacts nothing.

They are from the API reference, https://docs.aws.amazon.com/sagemaker/latest/APIReference/, and the developer guide's pages on
serverless inference and deployment guardrails. A rule stands here only where the service is sure to refuse.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import cast

from dockyard.adapters.sagemaker.instances import has_local_storage
from dockyard.adapters.sagemaker.rollout_rules import find_rollout_violations
from dockyard.adapters.sagemaker.violations import Violation

_Params = Mapping[str, object]
_ENV_NAME_BYTES = _ENV_VALUE_BYTES = 1024
_ENV_BYTES = 32 * 1024
_MEMORY_STEP = 1024
_SHORT_PERIODS = (10, 20, 30)
_DAY = 86_400


def find_rule_violations(service: str, operation: str, params: _Params) -> Iterator[Violation]:
    """What contradicts itself in a request whose values are fine each by itself; values of a wrong type are passed over."""
    yield from _check_tags(params)
    check = _RULES.get((service, operation))
    if check is not None:
        yield from check(params)


def _check_tags(params: _Params) -> Iterator[Violation]:
    keys = [str(tag.get("Key")) for tag in _maps(params.get("Tags"))]
    for key, times in Counter(keys).items():
        if times > 1:
            yield Violation(path=("Tags",), message=f"{key} is there {times} times")
        if key.lower().startswith("aws:"):
            yield Violation(path=("Tags",), message=f"{key} begins with aws:, which AWS keeps for itself")


def _check_model(params: _Params) -> Iterator[Violation]:
    for path, container in _list_containers(params):
        yield from _check_env((*path, "Environment"), _map(container.get("Environment")))
        if "ModelDataUrl" in container and "ModelDataSource" in container:
            yield Violation(path=(*path, "ModelDataUrl"), message="cannot be together with ModelDataSource")
        uri = _map(_map(container.get("ModelDataSource")).get("S3DataSource"))
        if uri.get("S3DataType") == "S3Prefix" and not str(uri.get("S3Uri")).endswith("/"):
            place = (*path, "ModelDataSource", "S3DataSource", "S3Uri")
            yield Violation(path=place, message="the prefix of uncompressed model data must end with /")


def _list_containers(params: _Params) -> Iterator[tuple[tuple[str, ...], _Params]]:
    if "PrimaryContainer" in params:
        yield ("PrimaryContainer",), _map(params["PrimaryContainer"])
    for number, container in enumerate(_maps(params.get("Containers"))):
        yield ("Containers", f"[{number}]"), container


def _check_env(path: tuple[str, ...], env: _Params) -> Iterator[Violation]:
    """The model counts characters where the service counts bytes, and has no limit for all of them together."""
    sizes = {name: (len(name.encode()), len(str(value).encode())) for name, value in env.items()}
    for name, (key, value) in sizes.items():
        if key > _ENV_NAME_BYTES >= len(name):
            yield Violation(path=path, message=f"a name has {key} bytes; the service takes {_ENV_NAME_BYTES} at most")
        if value > _ENV_VALUE_BYTES >= len(str(env[name])):
            yield Violation(path=(*path, name), message=f"has {value} bytes; the service takes {_ENV_VALUE_BYTES} at most")
    total = sum(key + value for key, value in sizes.values())
    if total > _ENV_BYTES:
        yield Violation(path=path, message=f"all names and values have {total} bytes together, of {_ENV_BYTES}")


def _check_config(params: _Params) -> Iterator[Violation]:
    variants, shadows = _maps(params.get("ProductionVariants")), _maps(params.get("ShadowProductionVariants"))
    names = Counter(str(one.get("VariantName")) for one in (*variants, *shadows))
    for name, times in names.items():
        if times > 1:
            yield Violation(path=("ProductionVariants",), message=f"{times} variants are called {name}")
    if shadows and (len(variants), len(shadows)) != (1, 1):
        yield Violation(
            path=("ShadowProductionVariants",), message="takes exactly one variant, beside exactly one in production"
        )
    for number, variant in enumerate(variants):
        path = ("ProductionVariants", f"[{number}]")
        yield from _check_capacity(path, variant)
        yield from _check_key(params, variant)
        if "ServerlessConfig" in variant:
            yield from _check_serverless((*path, "ServerlessConfig"), _map(variant["ServerlessConfig"]))
            yield from _check_beside_serverless(params, is_alone=len(variants) + len(shadows) == 1)


def _check_capacity(path: tuple[str, ...], variant: _Params) -> Iterator[Violation]:
    if ("InstanceType" in variant) == ("ServerlessConfig" in variant):
        yield Violation(path=(*path, "InstanceType"), message="a variant has either instances or is serverless")


def _check_key(params: _Params, variant: _Params) -> Iterator[Violation]:
    instance = str(variant.get("InstanceType"))
    if "KmsKeyId" in params and has_local_storage(instance):
        message = f"{instance} has local storage, which is encrypted by a key of its own; the service takes none for it"
        yield Violation(path=("KmsKeyId",), message=message)


def _check_serverless(path: tuple[str, ...], config: _Params) -> Iterator[Violation]:
    memory = config.get("MemorySizeInMB")
    if isinstance(memory, int) and memory % _MEMORY_STEP:
        message = f"is {memory}; the service takes 1024 to 6144 in steps of {_MEMORY_STEP}"
        yield Violation(path=(*path, "MemorySizeInMB"), message=message)
    most, kept = config.get("MaxConcurrency"), config.get("ProvisionedConcurrency")
    if isinstance(most, int) and isinstance(kept, int) and kept > most:
        message = f"is {kept}; it cannot be more than the largest concurrency, {most}"
        yield Violation(path=(*path, "ProvisionedConcurrency"), message=message)


def _check_beside_serverless(params: _Params, *, is_alone: bool) -> Iterator[Violation]:
    refused = {"DataCaptureConfig": "cannot capture data", "AsyncInferenceConfig": "cannot be asynchronous"}
    refused |= {"VpcConfig": "cannot be in a network of yours", "EnableNetworkIsolation": "cannot be isolated from the network"}
    for member, what in refused.items():
        if params.get(member):
            yield Violation(path=(member,), message=f"a serverless endpoint {what}")
    if not is_alone:
        yield Violation(path=("ProductionVariants",), message="a serverless endpoint has one variant only")


def _check_deployment(params: _Params) -> Iterator[Violation]:
    yield from find_rollout_violations(_map(params.get("DeploymentConfig")))


def _check_alarm(params: _Params) -> Iterator[Violation]:
    yield from _check_period(("Period",), params)
    for number, metric in enumerate(_maps(params.get("Metrics"))):
        yield from _check_period(
            ("Metrics", f"[{number}]", "MetricStat", "Period"), {**_map(metric.get("MetricStat")), **params}
        )


def _check_period(path: tuple[str, ...], params: _Params) -> Iterator[Violation]:
    period, periods = params.get("Period"), params.get("EvaluationPeriods")
    if not isinstance(period, int) or not isinstance(periods, int):
        return
    if period not in _SHORT_PERIODS and period % 60:
        yield Violation(path=path, message=f"is {period}; the service takes 10, 20, 30 and multiples of 60")
    limit = 7 * _DAY if period >= 3600 else _DAY
    if period * periods > limit:
        message = f"{periods} periods of {period} s are {period * periods} s together; the service takes {limit} at most"
        yield Violation(path=("EvaluationPeriods",), message=message)


def _check_range(params: _Params) -> Iterator[Violation]:
    action = _map(params.get("ScalableTargetAction")) if "ScalableTargetAction" in params else params
    outside: tuple[str, ...] = ("ScalableTargetAction",) if "ScalableTargetAction" in params else ()
    low, high = action.get("MinCapacity"), action.get("MaxCapacity")
    if isinstance(low, int) and isinstance(high, int) and low > high:
        yield Violation(path=(*outside, "MinCapacity"), message=f"is {low}, which is more than the maximum, {high}")


_RULES: Mapping[tuple[str, str], Callable[[_Params], Iterator[Violation]]] = {
    ("sagemaker", "CreateModel"): _check_model,
    ("sagemaker", "CreateEndpointConfig"): _check_config,
    ("sagemaker", "CreateEndpoint"): _check_deployment,
    ("sagemaker", "UpdateEndpoint"): _check_deployment,
    ("sagemaker", "UpdateInferenceComponent"): _check_deployment,
    ("cloudwatch", "PutMetricAlarm"): _check_alarm,
    ("application-autoscaling", "RegisterScalableTarget"): _check_range,
    ("application-autoscaling", "PutScheduledAction"): _check_range,
}


def _map(value: object) -> _Params:
    return cast("_Params", value) if isinstance(value, Mapping) else {}


def _maps(value: object) -> Sequence[_Params]:
    return [_map(one) for one in value] if isinstance(value, list | tuple) else []
