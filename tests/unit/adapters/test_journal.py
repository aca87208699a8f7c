"""The journal: the attempt that was saved last, one file a deployment."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from dockyard.adapters.journal import FileJournal
from dockyard.domain.attempt import Attempt, AttemptKind, AttemptStatus
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import DockyardError
from support.local_values import KEY, make_model

ATTEMPT = Attempt(
    id="1",
    key=KEY,
    kind=AttemptKind.DEPLOY,
    status=AttemptStatus.RUNNING,
    actor="ann@example",
    started="2026-01-01T00:00:00+00:00",
    model=make_model(1),
)


def test_saved_last_is_found(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path / "journal")
    assert journal.find_attempt(KEY) is None
    done = dataclasses.replace(ATTEMPT, status=AttemptStatus.SUCCEEDED, finished="2026-01-01T00:01:00+00:00")
    for attempt in (ATTEMPT, done):
        journal.save_attempt(attempt)
        assert journal.find_attempt(KEY) == attempt


def test_deployments_do_not_share_a_journal(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path)
    journal.save_attempt(ATTEMPT)
    assert journal.find_attempt(DeploymentKey(environment="prod-wine", name="wine")) is None


def test_damaged_journal_is_told_with_its_deployment(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path)
    journal.save_attempt(ATTEMPT)
    next(tmp_path.iterdir()).write_text("{")
    with pytest.raises(DockyardError, match="the journal of prod/wine") as damaged:
        journal.find_attempt(KEY)
    assert damaged.value.code == "state-corrupt"
