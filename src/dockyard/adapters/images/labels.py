"""Owns the labels of serving images, which lead back to the model: OCI's standard annotations and ours. Pure.

https://github.com/opencontainers/image-spec/blob/main/annotations.md
"""

from __future__ import annotations

from collections.abc import Mapping

from dockyard.domain.model import ModelVersion
from dockyard_image.unpacked import PYTHON_LABEL


def make_labels(model: ModelVersion, *, base: str, base_digest: str) -> Mapping[str, str]:
    """Return the labels of a model's image; what is not known has no label. The clock is not asked."""
    identity = model.identity
    labels = {
        "org.opencontainers.image.title": identity.name or identity.source,
        "org.opencontainers.image.version": identity.version,
        "org.opencontainers.image.created": model.created,
        "org.opencontainers.image.revision": model.git_revision,
        "org.opencontainers.image.base.name": base,
        "org.opencontainers.image.base.digest": base_digest,
        "dockyard.model.name": identity.name,
        "dockyard.model.version": identity.version,
        "dockyard.model.id": identity.model_id,
        "dockyard.model.run-id": identity.run_id,
        "dockyard.model.digest": identity.digest,
        PYTHON_LABEL: model.python,
        # SageMaker then tells the port in SAGEMAKER_BIND_TO_PORT, which lets several models share an instance.
        "com.amazonaws.sagemaker.capabilities.accept-bind-to-port": "true",
    }
    return {name: value for name, value in labels.items() if value}
