"""What the service answers when, on SageMaker: every command ends done or failed with the cause, and the same one completes.

Each changing call of account and image store is throttled, refused or interrupted, before or after it has had its effect: an
answer that is lost after the effect looks like the second.
"""

from __future__ import annotations

import pytest

from dockyard.domain.errors import CancelledError, DockyardError, TransientError
from dockyard.domain.result import ResultStatus
from support.sagemaker_commands import COMMANDS, assert_same_end, assert_served_throughout, list_points, make_bench

CAUSES: dict[str, BaseException] = {
    "aws-throttled": TransientError("aws-throttled", "Rate exceeded"),
    "aws-refused": DockyardError("aws-refused", "not allowed"),
    "cancelled": KeyboardInterrupt(),
}
POINTS = [
    pytest.param(
        command, number, cause, has_effect, id=f"{command}-{call}-{number}-{cause}-{'after' if has_effect else 'before'}"
    )
    for command in COMMANDS
    for number, call in list_points(command)
    for cause in CAUSES
    for has_effect in (False, True)
    if call != "save_attempt"
]


@pytest.mark.parametrize(("command", "call", "cause", "has_effect"), POINTS)
def test_call_that_goes_wrong_ends_in_all_or_nothing(command: str, call: int, cause: str, *, has_effect: bool) -> None:
    versions, act = COMMANDS[command]
    bench = make_bench(*versions)
    before = bench.list_things()
    bench.fail_call(call, CAUSES[cause], has_effect=has_effect)
    try:
        status = act(bench)
    except DockyardError as error:
        assert error.code == cause
        assert error.exit_code == (130 if isinstance(error, CancelledError) else 1)
        if command != "delete":
            assert bench.list_things() == before
            assert bench.serving_version() == (str(versions[-1]) if versions else None)
    else:
        assert status is not ResultStatus.PARTIAL or cause != "aws-throttled"
    bench.heal()
    act(bench)
    assert_same_end(bench, command)


def test_faults_are_more_than_sixty() -> None:
    assert len(POINTS) >= 60
    assert_served_throughout(make_bench(1), {"1"})
