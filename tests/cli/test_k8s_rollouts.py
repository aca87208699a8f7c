"""Claims about what `deploy k8s` asks of the use cases for how a new revision is to come."""

from __future__ import annotations

import pytest

from dockyard.domain.k8s_rollout import Gate, K8sRollout, K8sRolloutKind
from dockyard.domain.request import K8sDeployRequest
from support.fake_kit import CommandLine

ROLLOUT = """
environments:
  prod:
    target: k8s
    k8s:
      rollout:
        kind: canary
        steps: [5, 25]
        wait_seconds: 7
        shadow_percent: 3
        gate:
          error_percent: 2.5
          latency_ms: 300
          slower_percent: 40
          min_requests: 9
          prometheus: http://p:9090
          alerts: [up == 0]
"""
GATE = Gate(
    error_percent=2.5, latency_ms=300, slower_percent=40, min_requests=9, prometheus="http://p:9090", alerts=("up == 0",)
)
CANARY = K8sRollout(kind=K8sRolloutKind.CANARY, steps=(5, 25), wait_seconds=7, shadow_percent=3, gate=GATE)


def ask(dockyard: CommandLine, *arguments: str) -> K8sRollout:
    assert dockyard.deploy("k8s", "-m", "wine", *arguments).code == 0
    request = dockyard.kit.calls[-1][1]
    assert isinstance(request, K8sDeployRequest)
    return request.rollout


def test_every_key_of_the_file_reaches_the_request_and_without_any_it_is_rolling(dockyard: CommandLine) -> None:
    (dockyard.folder / "dockyard.yaml").write_text(ROLLOUT)
    assert ask(dockyard, "--env", "prod") == CANARY
    assert ask(dockyard) == K8sRollout()


def test_flags_are_laid_over_the_file(dockyard: CommandLine) -> None:
    (dockyard.folder / "dockyard.yaml").write_text(ROLLOUT)
    asked = ask(dockyard, "--env", "prod", "--rollout", "blue-green", "--pause")
    assert (asked.kind, asked.pause, asked.gate) == (K8sRolloutKind.BLUE_GREEN, True, GATE)


@pytest.mark.parametrize(
    ("rollout", "words"),
    [
        ("{steps: [50, 10]}", "`steps` that do not ascend"),
        ("{steps: [10, 10]}", "`steps` that do not ascend"),
        ("{gate: {alerts: [up]}}", "one of `prometheus` and `alerts`"),
        ("{kind: all-at-once}", "blue-green"),
        ("{steps: [0]}", "must be at least 1"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_asked(dockyard: CommandLine, rollout: str, words: str) -> None:
    (dockyard.folder / "dockyard.yaml").write_text(f"environments:\n  prod: {{target: k8s, k8s: {{rollout: {rollout}}}}}\n")
    ended = dockyard.deploy("k8s", "-m", "wine", "--env", "prod")
    assert (ended.code, dockyard.kit.calls) == (2, [])
    assert words in ended.err.replace("\n", " ")
