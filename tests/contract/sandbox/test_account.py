"""What belongs to the account: quotas that are told and enforced, prices, and a policy that every call must pass."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from dockyard_sandbox.fields import Fields, as_fields
from dockyard_sandbox.policy import read_policy
from support.sandbox_admin import ask_admin
from support.sandbox_control import IMAGE, ROLE, ApiCaller, ControlBench, read_error

NAME = "ml.m5.large for endpoint usage"


@pytest.fixture
def quotas(bench: ControlBench) -> Iterator[ApiCaller]:
    """Service Quotas."""
    call = ApiCaller("service-quotas", bench.sandbox.url)
    yield call
    call.close()


def list_quotas(call: ApiCaller) -> dict[str, float]:
    """All quotas by name."""
    found: dict[str, float] = {}
    more: dict[str, object] = {}
    while True:
        page = call("ListServiceQuotas", ServiceCode="sagemaker", **more)
        found.update({one.text("QuotaName"): one.number("Value") for one in page.items_of("Quotas")})
        if "NextToken" not in page:
            return found
        more = {"NextToken": page.text("NextToken")}


def test_quotas_of_instances_are_told(quotas: ApiCaller) -> None:
    found = list_quotas(quotas)
    assert (found[NAME], found["ml.p4d.24xlarge for endpoint usage"]) == (20.0, 0.0)
    code = next(
        one.text("QuotaCode")
        for one in quotas("ListServiceQuotas", ServiceCode="sagemaker", MaxResults=100).items_of("Quotas")
        if one.text("QuotaName") == NAME
    )
    assert quotas("GetServiceQuota", ServiceCode="sagemaker", QuotaCode=code).child("Quota").text("QuotaName") == NAME
    with pytest.raises(ClientError) as caught:
        quotas("GetServiceQuota", ServiceCode="sagemaker", QuotaCode="L-00000000")
    assert read_error(caught.value)[0] == "NoSuchResourceException"


def test_quota_is_enforced_over_all_endpoints_and_both_fleets(bench: ControlBench) -> None:
    ask_admin(bench.sandbox, "PUT", "quotas", {"instances": {"ml.m5.large": 1}})
    bench.make_endpoint()
    with pytest.raises(ClientError) as caught:
        bench.call("CreateEndpoint", EndpointName="e2", EndpointConfigName="c")
    code, message = read_error(caught.value)
    assert code == "ResourceLimitExceeded"
    assert (
        f"limit '{NAME}' is 1 Instances, with current utilization of 1 Instances and a request delta of 1 Instances" in message
    )
    with pytest.raises(ClientError):
        bench.call("UpdateEndpoint", EndpointName="e", EndpointConfigName="c")
    ask_admin(bench.sandbox, "PUT", "quotas", {"instances": {"ml.m5.large": 2}})
    bench.call("UpdateEndpoint", EndpointName="e", EndpointConfigName="c")
    bench.wait()


def test_prices_are_found_by_region_and_instance(bench: ControlBench) -> None:
    call = ApiCaller("pricing", bench.sandbox.url)
    filters = [
        {"Type": "TERM_MATCH", "Field": "regionCode", "Value": "eu-west-1"},
        {"Type": "TERM_MATCH", "Field": "instanceName", "Value": "ml.m5.large"},
    ]
    (product,) = call("GetProducts", ServiceCode="AmazonSageMaker", Filters=filters).texts("PriceList")
    terms = as_fields(json.loads(product)).child("terms").child("OnDemand")
    (term,) = (as_fields(one) for one in terms.values())
    (rate,) = (as_fields(one) for one in term.child("priceDimensions").values())
    assert rate.child("pricePerUnit").text("USD") == "0.1150000000"
    with pytest.raises(ClientError):
        call("GetProducts", ServiceCode="AmazonEC2")
    call.close()


def allow(*actions: str) -> Fields:
    """A policy."""
    return Fields({"Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]})


def test_call_that_the_policy_does_not_allow_is_denied_with_what_is_missing(bench: ControlBench) -> None:
    bench.sandbox.guard.set_policy(read_policy(allow("sagemaker:CreateModel", "sagemaker:ListModels")))
    model = {"ModelName": "m", "PrimaryContainer": {"Image": IMAGE}}
    with pytest.raises(ClientError) as caught:
        bench.call("CreateModel", **model, ExecutionRoleArn=ROLE)
    code, message = read_error(caught.value)
    assert code == "AccessDeniedException"
    assert f"not authorized to perform: iam:PassRole on resource: {ROLE}" in message
    assert not bench.call("ListModels")["Models"]
    bench.call("CreateModel", **model)
    assert bench.sandbox.calls.list_calls()[0].error == "AccessDeniedException"


def test_policy_is_set_and_cleared_by_the_admin_api(bench: ControlBench) -> None:
    ask_admin(bench.sandbox, "PUT", "policy", allow("s3:*").plain())
    with pytest.raises(ClientError):
        bench.call("ListModels")
    ask_admin(bench.sandbox, "DELETE", "policy")
    bench.call("ListModels")


def simulate(bench: ControlBench, *actions: str, resource: str = "*", **context: str) -> dict[str, str]:
    """The decision on each action."""
    call = ApiCaller("iam", bench.sandbox.url)
    entries = [
        {"ContextKeyName": name.replace("_", ":"), "ContextKeyType": "string", "ContextKeyValues": [value]}
        for name, value in context.items()
    ]
    answer = call(
        "SimulatePrincipalPolicy",
        PolicySourceArn=ROLE,
        ActionNames=list(actions),
        ResourceArns=[resource],
        ContextEntries=entries,
    )
    call.close()
    return {one.text("EvalActionName"): one.text("EvalDecision") for one in answer.items_of("EvaluationResults")}


def test_simulation_decides_as_the_policy_does(bench: ControlBench) -> None:
    assert simulate(bench, "sagemaker:CreateModel") == {"sagemaker:CreateModel": "allowed"}
    passing = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": ROLE}
    condition = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    bench.sandbox.guard.set_policy(
        read_policy(
            Fields(
                {
                    "Statement": [
                        *allow("sagemaker:Create*", "iam:Simulate*").items_of("Statement"),
                        {**passing, "Condition": condition},
                    ]
                }
            )
        )
    )
    assert simulate(bench, "sagemaker:CreateModel", "sagemaker:DeleteModel") == {
        "sagemaker:CreateModel": "allowed",
        "sagemaker:DeleteModel": "implicitDeny",
    }
    assert simulate(bench, "iam:PassRole", resource=ROLE) == {"iam:PassRole": "implicitDeny"}
    told = simulate(bench, "iam:PassRole", resource=ROLE, iam_PassedToService="sagemaker.amazonaws.com")
    assert told == {"iam:PassRole": "allowed"}


def test_who_am_i_needs_no_permission(bench: ControlBench) -> None:
    bench.sandbox.guard.set_policy(read_policy(allow("s3:*")))
    call = ApiCaller("sts", bench.sandbox.url)
    with pytest.raises(ClientError) as caught:
        call("GetCallerIdentity")
    assert read_error(caught.value)[0] == "UnknownOperationException"
    with pytest.raises(ClientError) as caught:
        call("AssumeRole", RoleArn=ROLE, RoleSessionName="session")
    assert read_error(caught.value)[0] == "AccessDenied"
    call.close()
