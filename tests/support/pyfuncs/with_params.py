"""A model with parameters: scales and shifts its input, answers a table."""

# MLflow takes annotations of `predict` for a signature, so there are none here.
# ruff: noqa: ANN001, ANN201, ARG002
# mypy: disable-error-code="misc,no-untyped-def"

import mlflow


class WithParams(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        factor, shift = params["factor"], params["shift"]
        return (model_input * factor + shift).rename(columns=lambda name: f"{name}_out")


mlflow.models.set_model(WithParams())
