"""What Argo Rollouts and Flagger are told: what `deploy k8s` would do by itself."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from dockyard.adapters.k8s.render.files import FileRenderer
from dockyard.domain.errors import UsageError
from dockyard.domain.k8s_rollout import Gate, K8sRollout, K8sRolloutKind
from dockyard.domain.rendering import GitPlace, RenderForm, RenderShape
from support.k8s_values import make_blueprint

CANARY = K8sRollout(kind=K8sRolloutKind.CANARY, steps=(5, 40, 100), wait_seconds=90)
BLUE_GREEN = K8sRollout(kind=K8sRolloutKind.BLUE_GREEN, wait_seconds=120)
HURRIED = K8sRollout(kind=K8sRolloutKind.CANARY, steps=(20,), wait_seconds=0)
PAUSED = K8sRollout(kind=K8sRolloutKind.CANARY, steps=(5, 40, 100), pause=True)


def render(form: RenderForm, rollout: K8sRollout, file: str) -> dict[str, Any]:
    shape = RenderShape(form=form, namespace="models", git=GitPlace(), rollout=rollout)
    text = FileRenderer().render_files(make_blueprint(), shape)[file]
    found: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)["spec"]
    return found


@pytest.mark.parametrize(
    ("rollout", "steps"),
    [
        (CANARY, [{"setWeight": 5}, "90s", {"setWeight": 40}, "90s", {"setWeight": 100}, "90s"]),
        (K8sRollout(), [{"setWeight": 10}, "300s", {"setWeight": 50}, "300s", {"setWeight": 100}, "300s"]),
        (HURRIED, [{"setWeight": 20}]),
        (PAUSED, [{"setWeight": 5}, {"pause": {}}]),
    ],
)
def test_argo_rollouts_gets_the_shares_and_waits_of_the_settings(rollout: K8sRollout, steps: list[object]) -> None:
    canary = render(RenderForm.ARGO_ROLLOUTS, rollout, "rollout.yaml")["strategy"]["canary"]
    expected = [{"pause": {"duration": one}} if isinstance(one, str) else one for one in steps]
    assert canary == {"maxUnavailable": 0, "maxSurge": 1, "steps": expected}


@pytest.mark.parametrize("pause", [True, False])
def test_argo_rollouts_switches_over_at_once_and_keeps_the_old_pods_as_long_as_the_settings_say(pause: bool) -> None:
    rollout = K8sRollout(kind=K8sRolloutKind.BLUE_GREEN, wait_seconds=120, pause=pause)
    strategy = render(RenderForm.ARGO_ROLLOUTS, rollout, "rollout.yaml")["strategy"]["blueGreen"]
    assert (strategy["activeService"], strategy["autoPromotionEnabled"]) == ("wine", not pause)
    assert (strategy["scaleDownDelaySeconds"], strategy["maxUnavailable"]) == (120, 0)


@pytest.mark.parametrize(
    ("rollout", "told"),
    [
        (CANARY, {"interval": "90s", "stepWeights": [5, 40]}),
        (HURRIED, {"interval": "10s", "stepWeights": [20]}),
        (BLUE_GREEN, {"interval": "120s", "iterations": 1}),
    ],
)
def test_flagger_gets_the_shares_and_waits_of_the_settings(rollout: K8sRollout, told: dict[str, object]) -> None:
    analysis = render(RenderForm.FLAGGER, rollout, "canary.yaml")["analysis"]
    assert {name: one for name, one in analysis.items() if name not in {"metrics", "threshold"}} == told


@pytest.mark.parametrize(
    ("gate", "limits"),
    [
        (Gate(), [("request-success-rate", {"min": 99.0})]),
        (
            Gate(error_percent=0.5, latency_ms=250),
            [("request-success-rate", {"min": 99.5}), ("request-duration", {"max": 250})],
        ),
        (Gate(error_percent=None), []),
    ],
)
def test_flagger_gets_the_limits_that_it_can_measure(gate: Gate, limits: list[object]) -> None:
    rollout = K8sRollout(kind=K8sRolloutKind.CANARY, gate=gate)
    metrics = render(RenderForm.FLAGGER, rollout, "canary.yaml")["analysis"]["metrics"]
    assert [(one["name"], one["thresholdRange"]) for one in metrics] == limits
    assert all(one["interval"] == "300s" for one in metrics)


@pytest.mark.parametrize(
    ("form", "rollout", "words"),
    [
        (RenderForm.ARGO_ROLLOUTS, K8sRollout(kind=K8sRolloutKind.SHADOW), "a shadow into service"),
        (RenderForm.FLAGGER, K8sRollout(kind=K8sRolloutKind.SHADOW), "a shadow into service"),
        (RenderForm.FLAGGER, PAUSED, "webhook"),
    ],
)
def test_what_a_tool_cannot_do_is_refused(form: RenderForm, rollout: K8sRollout, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        render(form, rollout, "")
    assert caught.value.code == "setting-invalid"
