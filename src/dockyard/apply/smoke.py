"""Owns the smoke test: the model's input example, sent a few times, answered as at build time."""

from __future__ import annotations

from dockyard.apply.interpreter import Facts, Skipped
from dockyard.domain.errors import UnhealthyError
from dockyard.domain.image import ImageDigest
from dockyard.domain.plan import SmokeTest
from dockyard.ports import ImageFactory, Invoker

_TIMEOUT_SECONDS = 60.0


def run_smoke_test(
    step: SmokeTest, address: str, *, images: ImageFactory, scorer: Invoker, image: ImageDigest | None = None
) -> Facts | Skipped:
    """Send the input example `step.requests` times; return the latencies in seconds.

    A model without an input example has nothing to send: the test is skipped, and being ready is all that is known of it.
    Raises UnhealthyError `smoke-test-failed`, `wrong-answer`.
    """
    request = images.read_proof(step.fingerprint, image)
    if request is None:
        return Skipped(reason="the model was logged without an input example")
    latencies: list[float] = []
    for _ in range(step.requests):
        answer = scorer.invoke(address, request, _TIMEOUT_SECONDS)
        latencies.append(answer.seconds)
        difference = scorer.find_difference(step.fingerprint, answer.value)
        if difference is not None:
            raise UnhealthyError(
                "wrong-answer",
                f"revision {step.number} answers the input example differently from the image at build time: {difference}",
                hint="does the model depend on something outside its files: an environment variable, a service, the clock?",
            )
    return (("requests", len(latencies)), ("latencies", tuple(latencies)))
