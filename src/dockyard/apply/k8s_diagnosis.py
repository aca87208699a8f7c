"""Owns why a rollout does not come to its end, told from what its pods show, within seconds. Pure.

What mends itself is given some time: a node may be on its way, a registry may answer the second time. A crash is final: a
revision that was never ready is not better the second time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dockyard.domain.deployment import ProofFailure
from dockyard.domain.k8s import K8sPod, K8sRevision
from dockyard.domain.k8s_hints import explain_refused_pod

PATIENCE_SECONDS = 8.0
"""How long a cause is looked at that may pass."""
_PULL_FAILED = frozenset({"ErrImagePull", "ImagePullBackOff"})
_PULL_HOPELESS = frozenset({"InvalidImageName", "ErrImageNeverPull"})
_BAD_CONTAINER = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})
_OUT_OF_MEMORY = "OOMKilled"
_PROOFS = {
    ProofFailure.DIFFERS: ("wrong-answer", "answers the input example differently from the image at build time"),
    ProofFailure.RAISES: ("smoke-test-failed", "raises an error for the model's own input example"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why pods of a revision do not get ready."""

    code: str
    what: str
    """What is said of the revision."""
    hint: str
    is_final: bool
    """Whether waiting cannot help."""


def find_cause(revision: K8sRevision | None) -> Cause | None:
    """Return the first cause that the revision or one of its pods shows; what is final comes first."""
    if revision is None:
        return None
    causes = [
        *_find_refusal(revision),
        *(cause for pod in revision.pods if not pod.is_ready for cause in _look_at(pod, revision)),
    ]
    return next((one for one in causes if one.is_final), next(iter(causes), None))


def explain_slowness(revision: K8sRevision | None, seconds: float) -> Cause:
    """Return why a revision is given up whose pods show no cause."""
    runs = revision is not None and any(pod.is_running and not pod.is_ready for pod in revision.pods)
    return Cause(
        code="revision-not-ready",
        what=f"is not ready after {seconds:.0f} s" + (": its container runs, but its probe at /ready fails" if runs else ""),
        hint="the last lines of its log are above; `ready_timeout_seconds` decides how long it may take",
        is_final=True,
    )


def _find_refusal(revision: K8sRevision) -> Iterator[Cause]:
    if not revision.refusal:
        return
    code, hint = explain_refused_pod(revision.refusal)
    yield Cause(code=code, what=f"gets no pod: {revision.refusal}", hint=hint, is_final=False)


def _look_at(pod: K8sPod, revision: K8sRevision) -> Iterator[Cause]:
    yield from _look_at_start(pod, revision)
    if pod.proof_failure is not None:
        code, what = _PROOFS[pod.proof_failure]
        yield Cause(code=code, what=what, hint="the last lines of its log are above", is_final=True)
    elif pod.end_reason == _OUT_OF_MEMORY:
        memory = revision.settings.memory
        what = f"needs more memory than the {memory} that it may have"
        yield Cause(code="out-of-memory", what=what, hint="give it more: `memory` of the environment", is_final=True)
    elif pod.exit_code is not None:
        what = f"ended with exit code {pod.exit_code} before it was ready"
        yield Cause(code="revision-crashed", what=what, hint="the last lines of its log are above", is_final=True)


def _look_at_start(pod: K8sPod, revision: K8sRevision) -> Iterator[Cause]:
    """What keeps its container from being started at all."""
    reason, message = pod.waiting_reason, pod.waiting_message
    if pod.unschedulable:
        hint = "are there nodes with so much free? `cpu`, `memory` and `node_selector` decide which are looked for"
        yield Cause(code="unschedulable", what=f"finds no node: {pod.unschedulable}", hint=hint, is_final=False)
    elif reason in _PULL_FAILED or reason in _PULL_HOPELESS:
        hint = "can the nodes reach that registry, and are its credentials in `pull_secrets`?"
        what = f"cannot get its image {revision.image} ({reason}: {message})"
        yield Cause(code="image-not-pulled", what=what, hint=hint, is_final=reason in _PULL_HOPELESS)
    elif reason in _BAD_CONTAINER:
        hint = "are the Secrets of `env_secrets` in the namespace?"
        yield Cause(code="revision-crashed", what=f"cannot be started ({reason}: {message})", hint=hint, is_final=False)
