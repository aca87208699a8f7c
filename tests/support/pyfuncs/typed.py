"""A model whose signature MLflow takes from its type hint."""

# mypy: disable-error-code="misc"

import mlflow


class TypedModel(mlflow.pyfunc.PythonModel):
    def predict(self, model_input: list[str]) -> list[int]:
        return [len(text) for text in model_input]


mlflow.models.set_model(TypedModel())
