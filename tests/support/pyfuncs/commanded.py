"""A model that does what the column `command` of its input says: a model of all the ways to misbehave."""

# MLflow takes annotations of `predict` for a signature, so there are none here.
# ruff: noqa: ANN001, ANN201, ARG002
# mypy: disable-error-code="misc,no-untyped-def"

import random
import time

import mlflow


class CommandedModel(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        command, value = model_input["command"][0], model_input["value"][0]
        if command == "sleep":
            time.sleep(value)
        elif command == "raise":
            raise ValueError(f"cannot predict {model_input.to_dict()}")
        elif command == "exit":
            raise SystemExit(f"leaving because of {value}")
        elif command == "unserializable":
            return [object()]
        elif command == "random":
            return [random.random() for _ in range(len(model_input))]
        return {"command": command, "doubled": [float(item) * 2 for item in model_input["value"]]}


mlflow.models.set_model(CommandedModel())
