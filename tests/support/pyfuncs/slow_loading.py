"""A model that takes a moment to load: `TEST_LOAD_SECONDS`, by default one."""

# MLflow takes annotations of `predict` for a signature, so there are none here.
# ruff: noqa: ANN001, ANN201, ARG002
# mypy: disable-error-code="misc,no-untyped-def"

import os
import time

import mlflow


class SlowLoadingModel(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        time.sleep(float(os.environ.get("TEST_LOAD_SECONDS", "1")))

    def predict(self, context, model_input, params=None):
        return [1.0] * len(model_input)


mlflow.models.set_model(SlowLoadingModel())
