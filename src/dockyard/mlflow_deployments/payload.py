"""Owns how the inputs of `predict` become the body of a request, in the forms that MLflow's own server takes."""

from __future__ import annotations

import json

_FORMS = frozenset({"dataframe_split", "dataframe_records", "instances", "inputs"})


def write_body(inputs: object) -> bytes | None:
    """Return the body for inputs as `pyfunc.predict` takes them; None for none, which asks with the model's own input example.

    Text, bytes, and a dict that is a body already are sent as they are.
    """
    if inputs is None:
        return None
    if isinstance(inputs, bytes):
        return inputs
    if isinstance(inputs, str):
        return inputs.encode()
    from mlflow.utils.proto_json_utils import NumpyEncoder, dump_input_data

    if isinstance(inputs, dict):
        body = inputs if not _FORMS.isdisjoint(inputs) else {"inputs": inputs}
        return json.dumps(body, cls=NumpyEncoder).encode()
    if isinstance(inputs, list):
        return json.dumps({"inputs": inputs}, cls=NumpyEncoder).encode()
    return str(dump_input_data(inputs)).encode()  # a table or an array: what MLflow needs for it is there
