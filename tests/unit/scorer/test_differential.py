"""The scorer's answers beside those of MLflow's own server, asked in this process over the same bodies.

Wherever MLflow answers 200 the scorer must answer the same text; wherever MLflow does not, the scorer must not either,
but for the older bare list, which MLflow refuses since 2.0.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import pandas as pd
import pytest
from mlflow.pyfunc import scoring_server

from dockyard_scorer.errors import ScorerError
from dockyard_scorer.served_model import ServedModel
from support import models

SaveModel = Callable[[Path], Path]
COLUMNS = ["acid", "sugar", "alcohol"]
TABLE = pd.DataFrame({"acid": [7.0, 6.3], "sugar": [20.7, 1.6], "alcohol": [8.8, 9.5]})


def _parquet(table: pd.DataFrame) -> bytes:
    buffer = BytesIO()
    table.to_parquet(buffer)
    return buffer.getvalue()


@dataclass(frozen=True)
class Sent:
    """One request body."""

    body: object
    content_type: str = "application/json"

    def encode(self) -> bytes:
        match self.body:
            case bytes():
                return self.body
            case str():
                return self.body.encode()
            case _:
                return json.dumps(self.body).encode()


WINE = [
    {"dataframe_split": TABLE.to_dict(orient="split")},
    {"dataframe_split": {"columns": COLUMNS[::-1], "data": [[8.8, 20.7, 7.0]]}},
    {"dataframe_split": {"columns": [*COLUMNS, "extra"], "data": [[7.0, 20.7, 8.8, 1]]}},
    {"dataframe_split": {"columns": COLUMNS, "data": [[7, 20, 8]]}},
    {"dataframe_split": {"columns": COLUMNS, "data": [["7", 20, 8]]}},
    {"dataframe_split": {"columns": COLUMNS, "data": [["seven", 20, 8]]}},
    {"dataframe_split": {"columns": COLUMNS, "data": [[None, 20, 8]]}},
    {"dataframe_split": {"columns": COLUMNS[:2], "data": [[7, 20]]}},
    {"dataframe_split": {"columns": COLUMNS, "data": []}},
    {"dataframe_split": {"columns": COLUMNS, "data": [[7, 20]]}},
    {"dataframe_split": {"columns": COLUMNS, "index": [5], "data": [[7, 20, 8]]}},
    {"dataframe_split": {"columns": COLUMNS, "rows": [[7, 20, 8]]}},
    {"dataframe_split": [[7, 20, 8]]},
    {"dataframe_records": TABLE.to_dict(orient="records")},
    {"dataframe_records": [{"acid": 7.0, "sugar": 20.7}]},
    {"dataframe_records": {"acid": 7.0}},
    {"dataframe_records": []},
    {"instances": TABLE.to_dict(orient="records")},
    {"instances": [[7.0, 20.7, 8.8]]},
    {"inputs": {"acid": [7.0], "sugar": [20.7], "alcohol": [8.8]}},
    {"inputs": {"acid": 7.0, "sugar": 20.7, "alcohol": 8.8}},
    {"inputs": [{"acid": 7.0, "sugar": 20.7, "alcohol": 8.8}]},
    {"inputs": {"acid": [7.0, 6.0], "sugar": [20.7], "alcohol": [8.8]}},
    {"inputs": {"acid": [1e308], "sugar": [1e-308], "alcohol": [-0.0]}},
    '{"inputs": {"acid": [NaN], "sugar": [Infinity], "alcohol": [1]}}',
    {"dataframe_split": TABLE.to_dict(orient="split"), "params": {"unknown": 1}},
    {"dataframe_split": TABLE.to_dict(orient="split"), "inputs": {}},
    {"columns": COLUMNS, "data": [[7, 20, 8]]},
    {},
    "",
    "null",
    "not json",
    b"\xff\xfe",
    '{"dataframe_split": {"columns": ["acid", "sugar", "alcohol"], "data": [[7, 20, 8]]}} trailing',
    Sent("acid,sugar,alcohol\n7,20.7,8.8\n6.3,1.6,9.5\n", "text/csv"),
    Sent("acid,sugar,alcohol\n7,20.7,8.8\n", "text/csv; charset=utf-8"),
    Sent("alcohol,sugar,acid\n8.8,20.7,7\n", "text/csv"),
    Sent("acid,sugar\n7,20.7\n", "text/csv"),
    Sent("acid,sugar,alcohol\nseven,20.7,8.8\n", "text/csv"),
    Sent("", "text/csv"),
    Sent(b"\xff\xfe,\n1", "text/csv"),
    Sent(_parquet(TABLE), "application/vnd.apache.parquet"),
    Sent(b"no parquet", "application/vnd.apache.parquet"),
    Sent("{}", "text/plain"),
    Sent('{"inputs": {"acid": [7.0], "sugar": [1], "alcohol": [1]}}', "application/json; charset=latin-1"),
    Sent('{"inputs": {"acid": [7.0], "sugar": [1], "alcohol": [1]}}', "application/json; odata=verbose"),
    Sent('{"inputs": {"acid": [7.0], "sugar": [1.5], "alcohol": [1.5]}}', "application/json;charset=UTF-8"),
]

POINTS = [
    {"inputs": [[2, 10]]},
    {"inputs": [[2.0, 10.0], [11, 11]]},
    {"instances": [[2.0, 10.0]]},
    {"inputs": [2.0, 10.0]},
    {"inputs": [["2", "10"]]},
    {"inputs": []},
    {"inputs": [[2, 10, 3]]},
    {"dataframe_split": {"columns": [0, 1], "data": [[2, 10]]}},
    {"dataframe_split": {"columns": ["x", "y"], "data": [[2.0, 10.0]]}},
    {"dataframe_split": {"data": [[2, 10]]}},
    {"dataframe_records": [{"x": 2.0, "y": 10.0}]},
    Sent("x,y\n2.0,10.0\n", "text/csv"),
    Sent(_parquet(pd.DataFrame({"x": [2.0], "y": [10.0]})), "application/vnd.apache.parquet"),
]

PARAMS = [
    {"dataframe_split": {"columns": ["acid", "sugar"], "data": [[1, 2]]}},
    {"dataframe_split": {"columns": ["acid", "sugar"], "data": [[1.5, 2.5]]}, "params": {"factor": 3.0}},
    {"dataframe_split": {"columns": ["acid", "sugar"], "data": [[1.5, 2.5]]}, "params": {"factor": 3, "shift": -1}},
    {"dataframe_records": [{"acid": 1.5, "sugar": 2.5}], "params": {"factor": "three"}},
    {"dataframe_records": [{"acid": 1.5, "sugar": 2.5}], "params": {"unknown": 3.0}},
    {"dataframe_records": [{"acid": 1.5, "sugar": 2.5}], "params": None},
    {"dataframe_records": [{"acid": 1.5, "sugar": 2.5}], "params": [1]},
    {"inputs": {"acid": [1.5], "sugar": [2.5]}, "params": {}},
]

COMMANDS = [
    {"inputs": {"command": ["double"], "value": [1.5]}},
    {"dataframe_records": [{"command": "döuble ☃", "value": 1e-3}, {"command": "x", "value": 2.0}]},
    {"dataframe_records": [{"command": "unserializable", "value": 1.0}]},
    {"dataframe_records": [{"command": "raise", "value": 1.0}]},
    {"dataframe_records": [{"command": base64.b64encode(b"x").decode(), "value": None}]},
    {"messages": [{"role": "user", "content": "hello"}]},
]

TEXTS = [
    {"inputs": ["one", "two"]},
    {"inputs": []},
    {"inputs": [1]},
    {"inputs": "one"},
    {"dataframe_split": {"columns": ["text"], "data": [["one"]]}},
]

CASES = [
    (save_model, sent if isinstance(sent, Sent) else Sent(sent))
    for save_model, bodies in (
        (models.save_sklearn_model, WINE),
        (models.save_knn_model, POINTS),
        (models.save_unsigned_knn_model, POINTS),
        (models.save_params_model, PARAMS),
        (models.save_commanded_model, COMMANDS),
        (models.save_typed_model, TEXTS),
    )
    for sent in bodies
]


@pytest.fixture(scope="session")
def ask_mlflow(saved: Callable[[SaveModel], Path]) -> Callable[[SaveModel, Sent], tuple[int, str]]:
    """Status and text of MLflow's own server (`mlflow models serve` runs the same application)."""
    servers: dict[str, Any] = {}

    def ask(save_model: SaveModel, sent: Sent) -> tuple[int, str]:
        name = save_model.__name__
        if name not in servers:
            servers[name] = scoring_server.init(mlflow.pyfunc.load_model(str(saved(save_model))))
        return asyncio.run(_post(servers[name], sent))

    return ask


@pytest.mark.filterwarnings("ignore")  # MLflow and pandas warn about odd bodies, which is what these are
@pytest.mark.parametrize(("save_model", "sent"), CASES)
def test_answer_equals_mlflows_wherever_mlflow_answers_200(
    loaded: Callable[[SaveModel], ServedModel],
    ask_mlflow: Callable[[SaveModel, Sent], tuple[int, str]],
    save_model: SaveModel,
    sent: Sent,
) -> None:
    theirs, ours = ask_mlflow(save_model, sent), _ask(loaded(save_model), sent)
    if theirs[0] == 200:
        assert ours == theirs
    else:
        assert ours[0] in ({415} if theirs[0] == 415 else {400, 500})


def test_cases_are_answered_and_refused_often_enough_to_mean_something(
    ask_mlflow: Callable[[SaveModel, Sent], tuple[int, str]],
) -> None:
    statuses = [ask_mlflow(*case)[0] for case in CASES]
    assert statuses.count(200) >= 35
    assert len(statuses) - statuses.count(200) >= 25


def _ask(model: ServedModel, sent: Sent) -> tuple[int, str]:
    try:
        return 200, model.answer(sent.encode(), sent.content_type)
    except ScorerError as error:
        return error.status, ""


async def _post(app: Any, sent: Sent) -> tuple[int, str]:  # noqa: ANN401  a FastAPI application
    parts: list[dict[str, Any]] = []
    unread = [{"type": "http.request", "body": sent.encode(), "more_body": False}]

    async def receive() -> dict[str, Any]:
        if not unread:
            await asyncio.sleep(3600)
        return unread.pop()

    async def send(message: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        parts.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": "/invocations",
        "raw_path": b"/invocations",
        "query_string": b"",
        "headers": [(b"content-type", sent.content_type.encode())],
    }
    try:
        await app(scope, receive, send)
    except Exception:  # noqa: BLE001  what would be a 500 behind a server
        return 500, ""
    return parts[0]["status"], b"".join(part.get("body", b"") for part in parts[1:]).decode()
