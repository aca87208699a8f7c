"""A loaded model and the exact path: MLflow's own parsing, prediction and JSON.

Owns every call into MLflow's scoring server, of whatever MLflow version the image holds. Must not compute an answer of
its own, and must not let words of MLflow's or the model's exceptions out: both quote the payload.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Protocol

from dockyard_scorer.bare_list import InputForm, rewrite_bare_list
from dockyard_scorer.content_type import CSV, JSON, PARQUET, parse_content_type
from dockyard_scorer.errors import ModelError, ScorerError
from dockyard_scorer.traces import describe_exception

_COLUMNS_SHOWN = 30


class _Schema(Protocol):
    def has_input_names(self) -> bool: ...
    def input_names(self) -> list[str | int]: ...
    def is_tensor_spec(self) -> bool: ...


class _Metadata(Protocol):
    @property
    def saved_input_example_info(self) -> Mapping[str, str] | None: ...

    def get_input_schema(self) -> _Schema | None: ...


class PyfuncModel(Protocol):
    """The part of MLflow's `PyFuncModel` that is used here."""

    @property
    def metadata(self) -> _Metadata:
        """What the MLmodel file says."""

    def predict(self, data: object, params: object = None) -> object:
        """The model's answer to `data`, checked against its signature."""


class ServedModel:
    """A model that answers requests. Safe to use from several threads if the model is."""

    def __init__(self, model: PyfuncModel, server: ModuleType, folder: Path) -> None:
        self._model = model
        self._server = server
        self._folder = folder
        self._schema = model.metadata.get_input_schema()
        self._form = _describe_form(model.metadata, self._schema)
        self._supported = _list_content_types(server)

    def answer(self, body: bytes, content_type: str) -> str:
        """The JSON text that `mlflow models serve` answers. Raises ScorerError with no word of `body` in it."""
        media_type = parse_content_type(content_type, self._supported)
        payload = _decode_csv(body) if media_type == CSV else body
        if media_type == JSON:
            payload = rewrite_bare_list(body, self._form)
        call = _Call(self._model)
        try:
            response = self._server.invocations(payload, media_type, call, self._schema)
        except (Exception, SystemExit) as error:  # a model may raise anything, even SystemExit
            raise self._explain(error, call) from error
        return str(response.response)

    def find_example(self) -> tuple[str, str] | None:
        """Content type and body of the request that was logged with the model as its input example."""
        info = self._model.metadata.saved_input_example_info
        if not info:
            return None
        body = _read_example(self._folder, info)
        return (JSON, body) if body is not None else None

    def _explain(self, error: BaseException, call: _Call) -> ScorerError:
        if call.failure is not None:
            return self._explain_failure(call.failure)
        if call.answered:
            return ScorerError(
                "answer-not-json", "The model's answer cannot be written as JSON.", where=describe_exception(error)
            )
        return ScorerError(
            "invalid-input",
            f"The body does not follow MLflow's scoring protocol or the model's signature.{self._hint()}",
            where=describe_exception(error),
        )

    def _explain_failure(self, failure: BaseException) -> ScorerError:
        where = describe_exception(failure)
        if _blames_client(failure):
            return ScorerError("invalid-input", f"The input does not fit the model's signature.{self._hint()}", where=where)
        return ScorerError("prediction-failed", f"The model raised {type(failure).__name__}.", where=where)

    def _hint(self) -> str:
        if not self._form.columns:
            return ""
        shown = ", ".join(self._form.columns[:_COLUMNS_SHOWN])
        more = len(self._form.columns) - _COLUMNS_SHOWN
        return f" Its inputs are: {shown}" + (f" and {more} more." if more > 0 else ".")


def load_model(folder: Path) -> ServedModel:
    """Load the model in `folder` with the MLflow of this image. Raises ModelError."""
    try:
        from mlflow.pyfunc import scoring_server
    except ImportError as error:
        raise ModelError("mlflow-missing", f"MLflow's scoring server cannot be imported: {error}") from error
    if not hasattr(scoring_server, "invocations"):
        raise ModelError("mlflow-too-old", "This image's MLflow is older than the scorer can serve (2.6).")
    load = getattr(scoring_server, "load_model_with_mlflow_config", scoring_server.load_model)
    try:
        return ServedModel(load(str(folder)), scoring_server, folder)
    except (Exception, SystemExit) as error:  # unpickling runs the model's own code, which may raise anything
        # There is no payload yet, so the words can be told, and whoever reads the log needs them.
        message = f"{type(error).__name__}: {error}"
        raise ModelError("model-load-failed", message, where=describe_exception(error)) from error


class _Call:
    """One prediction: stands for the model towards MLflow's server and remembers how far the request came."""

    def __init__(self, model: PyfuncModel) -> None:
        self.metadata = model.metadata
        self.failure: BaseException | None = None
        self.answered = False
        self._model = model

    def predict(self, data: object, params: object = None) -> object:
        try:
            answer = self._model.predict(data, params=params)
        except (Exception, SystemExit) as error:
            self.failure = error
            raise
        self.answered = True
        return answer


def _blames_client(failure: BaseException) -> bool:
    # MLflow's exceptions know their status; those that enforce the signature say 400. Other types say nothing.
    status = getattr(failure, "get_http_status_code", None)
    return status is not None and 400 <= status() < 500


def _decode_csv(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ScorerError("invalid-input", "The body is not valid UTF-8.") from error


def _list_content_types(server: ModuleType) -> frozenset[str]:
    supported = frozenset(server.CONTENT_TYPES)
    engines = ("pyarrow", "fastparquet")
    if not any(importlib.util.find_spec(engine) for engine in engines):
        return supported - {PARQUET}
    return supported


def _describe_form(metadata: _Metadata, schema: _Schema | None) -> InputForm:
    takes_type_hint = getattr(metadata, "_is_signature_from_type_hint", None)  # since MLflow 2.20
    if takes_type_hint is not None and takes_type_hint():
        return InputForm(is_array=True)
    if schema is None:
        return InputForm()
    names = tuple(str(name) for name in schema.input_names()) if schema.has_input_names() else ()
    return InputForm(columns=names, is_array=bool(schema.is_tensor_spec()))


def _read_example(folder: Path, info: Mapping[str, str]) -> str | None:
    if serving_input := info.get("serving_input_path"):
        return (folder / serving_input).read_text(encoding="utf-8")
    # Before MLflow 2.16 the request itself was not saved; these two kinds give it away.
    text = (folder / info["artifact_path"]).read_text(encoding="utf-8")
    match info.get("type"), info.get("pandas_orient"):
        case "dataframe", "split":
            return json.dumps({"dataframe_split": json.loads(text)})
        case "ndarray", _:
            return text
        case _:
            return None
