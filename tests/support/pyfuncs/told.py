"""A model that multiplies, and misbehaves only where its environment tells it to: sound at build time, broken when deployed."""

# MLflow takes annotations of `predict` for a signature, so there are none here.
# ruff: noqa: ANN001, ANN201, ARG002
# mypy: disable-error-code="misc,no-untyped-def"

import os
import time

import mlflow


class ToldModel(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        self.factor = context.model_config["factor"]
        told = os.environ.get("TOLD_LOAD")
        if told == "crash":
            os._exit(7)
        while told == "hang":
            time.sleep(3600)

    def predict(self, context, model_input, params=None):
        values = model_input["value"] if hasattr(model_input, "columns") else model_input
        told = os.environ.get("TOLD_PREDICT")
        if told == "raise":
            raise ValueError("told to raise")
        if told == "raise-others" and any(value != 1.5 for value in values):
            raise ValueError("told to raise for what is not the input example")
        if told == "slow":
            time.sleep(0.3)
        shift = 1 if told == "shift" else 0
        return [float(value) * self.factor + shift for value in values]


mlflow.models.set_model(ToldModel())
