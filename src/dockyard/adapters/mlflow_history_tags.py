"""Owns what a history run says in tags, params and metrics, and how an attempt is read back from the tags alone. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dockyard.domain.attempt import Attempt, AttemptKind, AttemptStatus, Failure, RegistryEntry, TagWrite
from dockyard.domain.deployment import DeploymentKey, Target
from dockyard.domain.model import ModelDigest, ModelIdentity
from dockyard.domain.plan import BuildImage, Outcome, StartRevision
from dockyard.domain.record import DeploymentRecord, encode_tag

ATTEMPT_ID = "dockyard.attempt-id"
RECORD = "dockyard.record"
_LONGEST = 1000
_MODEL_FIELDS = ("name", "version", "digest", "source", "model_id", "run_id", "registry")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One number of a history run."""

    key: str
    value: float
    step: int = 0


def describe_tags(entry: RegistryEntry) -> Mapping[str, str]:
    """Return the tags of an attempt's run: all that `read_attempt` needs, and what MLflow's own pages show."""
    attempt = entry.attempt
    record = find_own_record(entry)
    tags: dict[str, object] = {
        "mlflow.note.content": _describe(attempt),
        "mlflow.source.name": "dockyard",
        "mlflow.user": attempt.actor,
        ATTEMPT_ID: attempt.id,
        "dockyard.environment": attempt.key.environment,
        "dockyard.deployment": attempt.key.name,
        "dockyard.target": attempt.key.target.value,
        "dockyard.kind": attempt.kind.value,
        "dockyard.status": attempt.status.value,
        "dockyard.actor": attempt.actor,
        "dockyard.started": attempt.started,
        "dockyard.finished": attempt.finished,
        "dockyard.revision": attempt.revision,
        "dockyard.previous": attempt.previous,
        "dockyard.endpoint": attempt.endpoint,
        "dockyard.git-revision": attempt.git_revision,
        "mlflow.source.git.commit": attempt.git_revision,
        "dockyard.image": record.image if record else None,
        "dockyard.model-package": record.model_package if record else None,
        RECORD: encode_tag(record) if record else None,
    }
    if attempt.model is not None:
        tags |= {_model_tag(name): getattr(attempt.model, name) for name in _MODEL_FIELDS}
    if attempt.failure is not None:
        failure = attempt.failure
        tags |= {"dockyard.error-code": failure.code, "dockyard.error": failure.message, "dockyard.error-hint": failure.hint}
    # The record is whole or not there; other texts are cut to what every database takes.
    return {name: str(value) if name == RECORD else clean(str(value)) for name, value in tags.items() if value is not None}


def read_attempt(tags: Mapping[str, str], run_id: str) -> Attempt | None:
    """Return the attempt that a run's tags tell; None where somebody else's run has such tags."""
    try:
        return Attempt(
            id=tags[ATTEMPT_ID],
            key=DeploymentKey(
                environment=tags["dockyard.environment"],
                name=tags["dockyard.deployment"],
                target=Target(tags["dockyard.target"]),
            ),
            kind=AttemptKind(tags["dockyard.kind"]),
            status=AttemptStatus(tags["dockyard.status"]),
            actor=tags["dockyard.actor"],
            started=tags["dockyard.started"],
            finished=tags.get("dockyard.finished"),
            model=_read_model(tags),
            revision=_number(tags.get("dockyard.revision")),
            previous=_number(tags.get("dockyard.previous")),
            endpoint=tags.get("dockyard.endpoint"),
            failure=_read_failure(tags),
            git_revision=tags.get("dockyard.git-revision"),
            run_id=run_id,
        )
    except (KeyError, ValueError):
        return None


def describe_params(attempt: Attempt) -> Mapping[str, str]:
    """Return the few params by which runs are compared side by side."""
    params: dict[str, object] = {
        "model": attempt.model.title if attempt.model else None,
        "revision": attempt.revision,
        "previous revision": attempt.previous,
    }
    for step in attempt.plan.steps if attempt.plan else ():
        match step:
            case BuildImage():
                params["builder"] = step.builder.value
            case StartRevision():
                params |= {"runtime": step.spec.settings.runtime.value, "fingerprint": step.spec.fingerprint}
            case _:
                pass
    return {name: clean(str(value)) for name, value in params.items() if value is not None}


def describe_metrics(attempt: Attempt) -> tuple[Metric, ...]:
    """Return seconds for each step, and the smoke test's latencies in milliseconds, each request and summed up."""
    steps = [
        Metric(key=f"step seconds/{number:02} {outcome.step}", value=round(outcome.seconds, 4))
        for number, outcome in enumerate(attempt.outcomes, start=1)
    ]
    latencies = find_latencies(attempt.outcomes)
    requests = [
        Metric(key="smoke test/latency ms", value=latency, step=number) for number, latency in enumerate(latencies, start=1)
    ]
    return (*steps, *requests, *(Metric(key=f"smoke test/{name} ms", value=value) for name, value in summarize(latencies)))


def find_latencies(outcomes: Sequence[Outcome]) -> tuple[float, ...]:
    """Return the latencies that a smoke test measured, in milliseconds."""
    return tuple(
        round(seconds * 1000, 3)
        for outcome in outcomes
        for name, value in outcome.facts
        if name == "latencies" and isinstance(value, tuple)
        for seconds in value
    )


def summarize(latencies: Sequence[float]) -> Iterator[tuple[str, float]]:
    """Yield p50, p95, p99 (by nearest rank: a value that was measured) and the maximum."""
    ranked = sorted(latencies)
    if ranked:
        for percent in (50, 95, 99):
            yield f"p{percent}", ranked[max(math.ceil(percent / 100 * len(ranked)) - 1, 0)]
        yield "max", ranked[-1]


def find_own_record(entry: RegistryEntry) -> DeploymentRecord | None:
    """Return the record that an entry writes for the attempt's own model, whether or not it is registered."""
    model = entry.attempt.model
    return next((tag.record for tag in entry.tags if model is not None and _is_for(tag, model)), None)


def clean(text: str) -> str:
    """Return a text that every database and protocol takes: no lone surrogates, no NUL, not too long."""
    text = text.encode("utf-8", "replace").decode().replace("\0", "?")
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _is_for(tag: TagWrite, model: ModelIdentity) -> bool:
    return (tag.name, tag.version) == (model.name or model.digest, model.version or "")


def _describe(attempt: Attempt) -> str:
    what = f"{attempt.kind.value} of {attempt.model.title}" if attempt.model else attempt.kind.value
    failure = f"\n\n{attempt.failure.code}: {attempt.failure.message}" if attempt.failure else ""
    return f"{what}, {attempt.key}, by {attempt.actor}: {attempt.status.value}{failure}"


def _model_tag(field: str) -> str:
    return "dockyard.model-" + field.removeprefix("model_").replace("_", "-")


def _read_model(tags: Mapping[str, str]) -> ModelIdentity | None:
    fields = {name: tags.get(_model_tag(name)) for name in _MODEL_FIELDS}
    digest, source = fields.pop("digest"), fields.pop("source")
    if digest is None or source is None:
        return None
    return ModelIdentity(digest=ModelDigest(digest), source=source, **fields)


def _read_failure(tags: Mapping[str, str]) -> Failure | None:
    if "dockyard.error-code" not in tags:
        return None
    return Failure(
        code=tags["dockyard.error-code"], message=tags.get("dockyard.error", ""), hint=tags.get("dockyard.error-hint")
    )


def _number(text: str | None) -> int | None:
    return int(text) if text is not None else None
