"""Whenever `kill -9` comes, on SageMaker: the same command again completes, nothing is orphaned, and the old revision serves.

A command is killed before its first call that changes something, and right after each, when the answer is not read yet: a kill
anywhere else leaves the account as one of these does. Those before each call are in memory, `unit/usecases`.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from support.killed_plays import Mother, open_mother
from support.sagemaker_cloud import SageMakerCloud
from support.sagemaker_plays import Play, complete, is_served_throughout, open_play
from support.sagemaker_scene import BUCKET, keep_in_files
from support.sagemaker_things import Eyes, count_things

COUNTS = {"create": 16, "update": 13, "rollback": 1, "delete": 12}
"""How many calls of each command change something; a push is one."""
POINTS = [
    pytest.param(command, number, when, id=f"{command}-{when}-{number}")
    for command, count in COUNTS.items()
    for number, when in ((1, "before"), *((number, "after") for number in range(1, count + 1)))
]


@pytest.fixture(scope="module")
def mother(sagemaker_cloud: SageMakerCloud) -> Iterator[Mother]:
    """Where the processes come from."""
    with open_mother(sagemaker_cloud.sandbox.environment, sagemaker_cloud.folder) as found:
        yield found


@pytest.mark.parametrize(("command", "number", "when"), POINTS)
def test_killed_command_is_completed_by_the_same_command(
    sagemaker_cloud: SageMakerCloud, mother: Mother, command: str, number: int, when: str
) -> None:
    with open_play(sagemaker_cloud, command, keep_in_files) as play, is_served_throughout(sagemaker_cloud, play):
        assert mother.run_killed(play, number, when) == -signal.SIGKILL
        complete(play)


@pytest.mark.parametrize("command", COUNTS)
def test_there_are_no_more_calls_to_be_killed_at(sagemaker_cloud: SageMakerCloud, mother: Mother, command: str) -> None:
    with open_play(sagemaker_cloud, command, keep_in_files) as play:
        assert mother.run_killed(play, COUNTS[command] + 1, "before") == 0


@pytest.mark.parametrize(("number", "call"), [(7, "CreateModel"), (8, "CreateTransformJob")])
def test_killed_batch_is_completed_by_the_same_command(
    sagemaker_cloud: SageMakerCloud, mother: Mother, number: int, call: str
) -> None:
    sagemaker_cloud.script()
    sagemaker_cloud.eyes.client("s3").put_object(Bucket=BUCKET, Key="in/a.csv", Body=b"1")
    scene = sagemaker_cloud.make_scene(keep_in_files)
    play = Play(command="batch", scene=scene, eyes=Eyes(session=sagemaker_cloud.eyes, endpoint=scene.endpoint))
    sagemaker_cloud.sandbox.calls.clear()
    assert mother.run_killed(play, number, "after") == -signal.SIGKILL
    assert sagemaker_cloud.list_calls()[-1] == f"sagemaker:{call}"
    assert "model" in count_things(play.eyes.list_things())
    complete(play)
    assert count_things(play.eyes.list_things()) == {"repository": 1, "role": 1}
    scene.delete()
