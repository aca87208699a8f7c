"""A model that never finishes loading."""

# MLflow takes annotations of `predict` for a signature, so there are none here.
# ruff: noqa: ANN001, ANN201, ARG002
# mypy: disable-error-code="misc,no-untyped-def"

import time

import mlflow


class NeverReadyModel(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        while True:
            time.sleep(3600)

    def predict(self, context, model_input, params=None):
        return [1.0] * len(model_input)


mlflow.models.set_model(NeverReadyModel())
