"""An alias that a deploy failed to set is in the entry that waits for `sync`, and in no other one."""

from __future__ import annotations

import dataclasses

import pytest

from dockyard.domain.attempt import AliasWrite, Attempt
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.model import ModelDigest, ModelIdentity
from dockyard.domain.plan import Outcome, OutcomeStatus, SetAlias
from dockyard.domain.record import RecordStatus
from dockyard.planning.recording import Recorded, describe_entry
from support.attempts import make_attempt

MODEL = ModelIdentity(
    name="wine", version="3", digest=ModelDigest("sha256:d"), source="models:/wine/3", registry="http://mlflow"
)
STEP = SetAlias(name="wine", alias="prod", version="3")
RECORDED = Recorded(spec=None, image=None, previous=None, time="2026-11-22T06:00:00+00:00")


def promoting(status: OutcomeStatus) -> Attempt:
    """An attempt with `--promote` whose step for the alias ended so."""
    attempt = make_attempt(DeploymentKey(environment="prod", name="wine"), MODEL)
    assert attempt.plan is not None
    plan = dataclasses.replace(attempt.plan, steps=(*attempt.plan.steps, STEP))
    outcome = Outcome(step="SetAlias", description="point the alias", status=status, seconds=0.1)
    return dataclasses.replace(attempt, plan=plan, outcomes=(*attempt.outcomes, outcome))


def test_alias_that_could_not_be_set_waits_with_the_record() -> None:
    entry = describe_entry(promoting(OutcomeStatus.FAILED), RecordStatus.SERVING, RECORDED)
    assert entry.alias == AliasWrite(name="wine", alias="prod", version="3")


@pytest.mark.parametrize(
    "attempt",
    [
        promoting(OutcomeStatus.DONE),
        make_attempt(DeploymentKey(environment="prod", name="wine"), MODEL),
        dataclasses.replace(promoting(OutcomeStatus.FAILED), plan=None),
    ],
    ids=["it was set", "none was to be set", "there was no plan"],
)
def test_no_alias_waits_otherwise(attempt: Attempt) -> None:
    assert describe_entry(attempt, RecordStatus.SERVING, RECORDED).alias is None
