"""Owns the page of what Dockyard writes down: tags, the history run, image labels. What has no meaning here cannot be made."""

from __future__ import annotations

from dockyard.adapters.images.labels import make_labels
from dockyard.adapters.mlflow_history_tags import describe_tags
from dockyard.domain.record import MAX_TAG_BYTES, DeploymentRecord, RecordStatus, encode_tag
from reference_pages.field_docs import read_fields
from reference_pages.markdown import block, code, page, table
from reference_pages.samples import ENTRY, KEY, MODEL, RECORD

RECORD_FIELDS = {
    "status": "What it says of the deployment: " + ", ".join(code(one.value) for one in RecordStatus) + ".",
    "revision": "The revision's number.",
    "traffic_percent": "How much of the endpoint's traffic it gets.",
    "settings_hash": "Hash of the settings that it runs with.",
    "git_revision": "The commit that the command was called in.",
    "actor": "Who did it.",
    "attempt_id": "The attempt that wrote it.",
    "error_code": "Why it failed.",
    "schema": "The version of this form.",
}
TAGS = {
    "dockyard.attempt-id": "The attempt; one run for each, however often it is written.",
    "dockyard.environment": "The environment.",
    "dockyard.deployment": "The deployment's name.",
    "dockyard.target": "The target.",
    "dockyard.kind": "`deploy`, `rollback` or `delete`.",
    "dockyard.status": "How it ended.",
    "dockyard.actor": "Who did it.",
    "dockyard.started": "When it began.",
    "dockyard.finished": "When it ended.",
    "dockyard.revision": "The revision that it made or brought back.",
    "dockyard.previous": "The revision that served before.",
    "dockyard.endpoint": "The URL that clients use.",
    "dockyard.git-revision": "The commit that the command was called in.",
    "dockyard.image": "The image's digest.",
    "dockyard.model-package": "ARN of the version in SageMaker Model Registry.",
    "dockyard.record": "The record, as on the model version.",
    "dockyard.model-name": "The registered model.",
    "dockyard.model-version": "Its version.",
    "dockyard.model-digest": "The model digest.",
    "dockyard.model-source": "Where its files came from.",
    "dockyard.model-id": "The logged model.",
    "dockyard.model-run-id": "The run that logged it.",
    "dockyard.model-registry": "The registry that it is in.",
    "dockyard.error-code": "Why it failed: the code,",
    "dockyard.error": "the message,",
    "dockyard.error-hint": "and what to do.",
    "mlflow.note.content": "The same in a sentence, for MLflow's pages.",
    "mlflow.source.name": "`dockyard`.",
    "mlflow.source.git.commit": "The commit, for MLflow's pages.",
    "mlflow.user": "Who did it, for MLflow's pages.",
}
LABELS = {
    "org.opencontainers.image.title": "The model's name.",
    "org.opencontainers.image.version": "The model's version.",
    "org.opencontainers.image.created": "When the model was logged; an image's own time would change its digest.",
    "org.opencontainers.image.revision": "The commit that trained the model.",
    "org.opencontainers.image.base.name": "The base image,",
    "org.opencontainers.image.base.digest": "and its digest.",
    "dockyard.model.name": "The registered model.",
    "dockyard.model.version": "Its version.",
    "dockyard.model.id": "The logged model.",
    "dockyard.model.run-id": "The run that logged it.",
    "dockyard.model.digest": "The model digest.",
    "dockyard.fingerprint": "The fingerprint: same fingerprint, same image.",
    "dockyard.python": "The Python that runs the model.",
    "com.amazonaws.sagemaker.capabilities.accept-bind-to-port": "SageMaker may choose the port.",
}
FILES = (
    ("attempt.json", "The whole attempt. Values of the model's variables are left out, here and in the plan."),
    ("plan.json", "The plan: steps, changes, and what it stood on."),
    ("outcomes.json", "How each step went."),
    ("latency.png", "The smoke test's latencies."),
)


def render_records() -> str:
    """Return the page."""
    labels = make_labels(MODEL, base="base", base_digest="digest").keys() | {"dockyard.fingerprint"}
    return page(
        "Records, tags and labels",
        "Alias: where an environment has been promoted, the registered model has an alias that is called as the environment.",
        "## The tag on a model version",
        f"Key: `dockyard.<environment>.<deployment>`. Value: JSON of at most {MAX_TAG_BYTES} bytes, without what is not known.",
        block(f"{KEY.tag} = {encode_tag(RECORD)}"),
        table(("field", "type", "meaning"), _record_rows()),
        "## The history run",
        "One run in the experiment `dockyard` for each attempt, a failed one as well. Its tags:",
        table(("tag", "meaning"), explain(set(describe_tags(ENTRY)), TAGS)),
        "Its files:",
        table(("file", "content"), [(code(name), text) for name, text in FILES]),
        "Its metrics: seconds for each step; the smoke test's latencies in milliseconds, each, and p50, p95, p99 and maximum.",
        "## Labels of an image",
        "What is not known has no label. There is never a secret in one.",
        table(("label", "meaning"), explain(set(labels), LABELS)),
    )


def _record_rows() -> list[tuple[str, str, str]]:
    return [
        (code(field.name), code(field.type), field.text or RECORD_FIELDS[field.name]) for field in read_fields(DeploymentRecord)
    ]


def explain(written: set[str], meanings: dict[str, str]) -> list[tuple[str, str]]:
    """Return each name with its meaning. Raises ValueError where one of them has none, or is not written any more."""
    if written != set(meanings):
        raise ValueError(f"meanings and code differ: {sorted(written ^ set(meanings))}")
    return [(code(name), text) for name, text in meanings.items()]
