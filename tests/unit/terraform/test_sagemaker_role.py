"""The module `sagemaker-role` has the policies that the command line has.

`tests/policies` of the module is what the command line prints; its own tests compare its policies with that.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest

from dockyard.adapters.sagemaker.policies import (
    Document,
    Grantee,
    list_statements,
    list_texts,
    render_deployer_policy,
    render_execution_policy,
    render_trust_policy,
)
from dockyard.domain.sagemaker import Account, AsyncInference, ModelDelivery, SageMakerSettings
from dockyard.domain.sagemaker_capture import DataCapture
from dockyard.domain.sagemaker_component import Component
from dockyard.domain.sagemaker_network import Network

MODULE = Path(__file__).parents[3] / "terraform" / "modules" / "sagemaker-role"
ACCOUNT = Account(id="111122223333", region="eu-west-1")
ROLE = "arn:aws:iam::111122223333:role/wine"
TOPICS = "arn:aws:sns:eu-west-1:111122223333"
BASE = "arn:aws:ecr:eu-west-1:763104351884:repository/pytorch-inference"
BARE = SageMakerSettings(role=ROLE)
FULL = SageMakerSettings(
    role=ROLE,
    delivery=ModelDelivery.ARCHIVE,
    bucket="s3://models/team",
    kms_key="arn:aws:kms:eu-west-1:111122223333:key/1234",
    network=Network(subnets=("subnet-1",), security_groups=("sg-1",)),
    asynchronous=AsyncInference(
        output="s3://answers/wine", failures="s3://failures", success_topic=f"{TOPICS}:good", error_topic=f"{TOPICS}:bad"
    ),
    data_capture=DataCapture(destination="s3://captured/wine/"),
    component=Component(memory_mb=1024),
)
CASES = {
    "bare": (Grantee(account=ACCOUNT, endpoint="wine"), BARE),
    "full": (Grantee(account=ACCOUNT, endpoint="wine", package_group="Wines", bases=(BASE,)), FULL),
    "every": (Grantee(account=ACCOUNT, endpoint="*"), BARE),
    "long": (Grantee(account=ACCOUNT, endpoint=f"{'w' * 39}-vvvvv-{'u' * 17}"), BARE),
}


def render(grantee: Grantee, settings: SageMakerSettings) -> dict[str, Document]:
    return {
        "deployer": _adapt(render_deployer_policy(grantee, settings)),
        "execution": _adapt(render_execution_policy(grantee, settings)),
        "trust": render_trust_policy(grantee.account),
    }


def _adapt(document: Document) -> Document:
    """The module makes the role, so whoever deploys need not; and it writes one resource as a list of one."""
    kept = [one for one in list_statements(document) if one["Sid"] != "OwnExecutionRole"]
    return {**document, "Statement": [{**one, "Resource": list_texts(one["Resource"])} for one in kept]}


@pytest.mark.parametrize("name", ["deployer", "execution-role", "trust"])
def test_document_is_the_command_lines(name: str) -> None:
    ours = files("dockyard.adapters.sagemaker.policies").joinpath(f"{name}.json").read_bytes()

    assert (MODULE / "policies" / f"{name}.json").read_bytes() == ours


@pytest.mark.parametrize("case", CASES)
def test_module_is_compared_with_what_the_command_line_prints(case: str) -> None:
    kept = json.loads((MODULE / "tests" / "policies" / f"{case}.json").read_text("utf-8"))

    assert kept == render(*CASES[case])
