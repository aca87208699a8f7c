"""A model whose prediction raises, quoting its input."""

# MLflow takes annotations of `predict` for a signature, so there are none here.
# ruff: noqa: ANN001, ANN201, ARG002
# mypy: disable-error-code="misc,no-untyped-def"

import mlflow


class RaisingModel(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        raise ValueError(f"cannot predict {model_input.to_dict() if hasattr(model_input, 'to_dict') else model_input}")


mlflow.models.set_model(RaisingModel())
