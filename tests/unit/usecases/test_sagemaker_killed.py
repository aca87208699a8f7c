"""Whatever is killed when, on SageMaker: the same command again completes, nothing is orphaned, and the old revision serves.

A kill is a KilledError at any changing call of account, image store or journal, before or after its effect, after which
nothing that the command still tries has any.
"""

from __future__ import annotations

import pytest

from dockyard.domain.result import ResultStatus
from dockyard.testing.faults import KilledError
from support.sagemaker_commands import COMMANDS, assert_same_end, list_points, make_bench

POINTS = [
    pytest.param(command, number, has_effect, id=f"{command}-{number}-{call}-{'after' if has_effect else 'before'}")
    for command in COMMANDS
    for number, call in list_points(command)
    for has_effect in (False, True)
]


@pytest.mark.parametrize(("command", "call", "has_effect"), POINTS)
def test_command_killed_at_any_call_is_completed_by_the_same_command(command: str, call: int, *, has_effect: bool) -> None:
    versions, act = COMMANDS[command]
    bench = make_bench(*versions)
    bench.fail_call(call, KilledError(), has_effect=has_effect)
    with pytest.raises(KilledError):
        act(bench)
    bench.heal()
    assert act(bench) in {*ResultStatus} - {ResultStatus.PARTIAL, ResultStatus.PLANNED}
    assert_same_end(bench, command)
