"""The tracking server's image with the MLflow before: what a stack is upgraded from."""

from __future__ import annotations

import subprocess

from dockyard.domain.image import ImageDigest

OLDER_MLFLOW = "3.16.0"
"""Of a minor release before the image's; the schema of its databases is two revisions older."""
_TAG = "dockyard-tests/tracking-server-before"
# In a stage of its own, which the engine keeps however often our own sources change.
_DOCKERFILE = f"""
ARG NEWER
ARG BASE
FROM ${{BASE}} AS older
RUN python -m pip install --no-cache-dir --disable-pip-version-check --no-deps --no-compile --target /opt/older \
  mlflow=={OLDER_MLFLOW} mlflow-skinny=={OLDER_MLFLOW} mlflow-tracing=={OLDER_MLFLOW}
FROM ${{NEWER}}
COPY --from=older /opt/older /opt/older
ENV PYTHONPATH=/opt/older:/opt/dockyard/app:/opt/dockyard/site-packages
"""


def build_older_image(newer: ImageDigest, base: str, environment: dict[str, str]) -> str:
    """Build it on `newer`, whose own MLflow it hides. Returns its tag."""
    command = ["docker", "build", "--quiet", "--build-arg", f"NEWER={newer}", "--build-arg", f"BASE={base}", "--tag", _TAG, "-"]
    subprocess.run(command, env=environment, input=_DOCKERFILE, text=True, check=True, capture_output=True)
    return _TAG
