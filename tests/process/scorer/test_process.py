"""The scorer as the process it is in an image: start, signals, exit codes, secrecy, and what it leaves alone."""

from __future__ import annotations

import json
import socket
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dockyard_scorer.errors import EXIT_DIFFERS
from dockyard_scorer.proof import Proof, dump_proof, read_proof
from support import models
from support.load import Load
from support.scorers import Reply, ScorerProcess, ask

pytestmark = [pytest.mark.process, pytest.mark.usefixtures("measured_programs")]

SaveModel = Callable[[Path], Path]
Saved = Callable[[SaveModel], Path]
AUDITED = Path(__file__).parents[2] / "support" / "audited"
CANARY = "canary-4711"


def _wait_until_ready(port: int) -> float:
    """Seconds until /ready said 200; /health must say 200 all the while."""
    began = time.monotonic()
    while ask(port, "GET", "/ready").status != 200:
        assert ask(port, "GET", "/health").status == 200
        assert time.monotonic() - began < 90
        time.sleep(0.05)
    return time.monotonic() - began


def _send(port: int, body: object) -> Reply:
    return ask(port, "POST", "/invocations", json.dumps(body).encode())


def _find_misdeeds(notes: list[str], *, images: tuple[Path, ...]) -> list[str]:
    """What was written outside /tmp or into the folders that are read-only in an image, and who was connected to."""
    allowed = (f"write {tempfile.gettempdir()}/", "write /dev/null")
    theirs = [line for line in notes if not Path(line).name.startswith(".coverage.")]  # what measures the scorer writes that
    return [line for line in theirs if not line.startswith(allowed) or any(str(image) in line for image in images)]


def test_process_is_alive_before_it_is_ready_and_leaves_the_machine_alone(prefix: Path, saved: Saved, tmp_path: Path) -> None:
    """One process for all that can be seen without ending it, for a start takes seconds."""
    (prefix / "image.json").write_text(json.dumps({"dockyard.model.name": "slow", "dockyard.model.version": "3"}))
    # Only `site` runs .pth files, and only in folders it was told of.
    (prefix / "site-packages" / "set.pth").write_text("import os; os.environ['DOCKYARD_REVISION'] = '42'\n")
    notes = tmp_path / "audit"
    model = saved(models.save_slow_loading_model)
    environment = {
        "DOCKYARD_MODEL": str(model),
        "TEST_LOAD_SECONDS": "1.5",
        "PYTHONPATH": str(AUDITED),
        "TEST_AUDIT_FILE": str(notes),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": tempfile.gettempdir(),
    }
    with ScorerProcess(prefix, "serve", **environment) as scorer:
        port = scorer.wait_for("listening")["port"]
        assert ask(port, "GET", "/ready").json["error_code"] == "model-loading"
        assert ask(port, "GET", "/ping").status == 503
        assert _wait_until_ready(port) > 1.5
        assert scorer.wait_for("model-proved")["how"] == "input-example"
        version = ask(port, "GET", "/version").json
        assert version["revision"] == 42
        assert version["image"]["dockyard.model.name"] == "slow"
        assert _send(port, [[7, 20, 8], [1, 2, 3]]).json == {"predictions": [1.0, 1.0]}
        assert b"process_resident_memory_bytes" in ask(port, "GET", "/metrics").body
        scorer.terminate()
        assert scorer.wait() == 0
    assert scorer.stdout == []
    noted = notes.read_text().splitlines()
    assert "write /dev/null" in noted  # the notes were taken
    assert _find_misdeeds(noted, images=(prefix, model)) == []
    assert sorted(path.name for path in prefix.iterdir()) == ["image.json", "scorer", "site-packages"]


def test_sigterm_under_load_loses_no_request_and_exits_0(prefix: Path, saved: Saved) -> None:
    environment = {"DOCKYARD_MODEL": str(saved(models.save_commanded_model)), "DOCKYARD_GRACE_SECONDS": "6"}
    with ScorerProcess(prefix, **environment) as scorer:
        port = scorer.wait_for("listening")["port"]
        _wait_until_ready(port)
        with Load(port, clients=4) as kept, Load(port, clients=4, keep=False) as fresh:
            kept.wait_for_answers(3)
            fresh.wait_for_answers(3)
            scorer.terminate()
            assert scorer.wait() == 0
    assert kept.lost + fresh.lost == []
    assert all(tally.refused == 1 for tally in kept.tallies + fresh.tallies)


def test_no_word_of_a_payload_reaches_output_or_log(prefix: Path, saved: Saved) -> None:
    environment = {"DOCKYARD_MODEL": str(saved(models.save_commanded_model)), "DOCKYARD_QUIET_SECONDS": "0.1"}
    hostile: list[object] = [
        {"dataframe_records": [{"command": "raise", "value": 1.0, CANARY: CANARY}]},
        {"dataframe_records": [{"command": CANARY, "value": CANARY}]},
        {"dataframe_records": [{"command": "exit", "value": 4711.4711}]},
        {"inputs": {CANARY: [1]}},
        {CANARY: CANARY},
        [[CANARY, CANARY, CANARY]],
        CANARY,
    ]
    with ScorerProcess(prefix, "serve", **environment) as scorer:
        port = scorer.wait_for("listening")["port"]
        _wait_until_ready(port)
        answers = [_send(port, body) for body in hostile]
        answers.append(ask(port, "POST", f"/{CANARY}?{CANARY}", CANARY.encode()))
        answers.append(ask(port, "POST", "/invocations", CANARY.encode(), {"content-type": CANARY}))
        text = {"content-type": "text/csv"}
        answers.append(ask(port, "POST", "/invocations", f"command,value\n{CANARY},{CANARY}".encode(), text))
        scorer.terminate()
        assert scorer.wait() == 0
    assert {answer.status for answer in answers} == {400, 404, 415, 500}
    assert all(set(answer.json) == {"error_code", "message"} for answer in answers)
    told = "".join(scorer.stdout + scorer.stderr) + "".join(answer.body.decode() for answer in answers)
    assert CANARY not in told
    assert "4711" not in told
    assert all(json.loads(line)["event"] for line in scorer.stderr)


def test_stuck_prediction_does_not_keep_the_process_from_ending(prefix: Path, saved: Saved) -> None:
    environment = {
        "DOCKYARD_MODEL": str(saved(models.save_commanded_model)),
        "DOCKYARD_REQUEST_TIMEOUT_SECONDS": "0.5",
        "DOCKYARD_QUIET_SECONDS": "0.1",
    }
    with ScorerProcess(prefix, **environment) as scorer:
        port = scorer.wait_for("listening")["port"]
        _wait_until_ready(port)
        answer = _send(port, {"dataframe_records": [{"command": "sleep", "value": 600.0}]})
        assert (answer.status, answer.json["error_code"]) == (504, "timeout")
        scorer.terminate()
        assert scorer.wait(timeout=10) == 0


def test_sigterm_ends_a_process_whose_model_never_finishes_loading(prefix: Path, saved: Saved) -> None:
    with ScorerProcess(prefix, DOCKYARD_MODEL=str(saved(models.save_never_ready_model))) as scorer:
        port = scorer.wait_for("listening")["port"]
        assert ask(port, "GET", "/health").status == 200
        assert ask(port, "GET", "/ready").status == 503
        scorer.terminate()
        assert scorer.wait(timeout=10) == 0


def test_other_answer_than_at_build_time_ends_the_process_with_5(prefix: Path, saved: Saved) -> None:
    body = '{"inputs": [[2.0, 10.0]]}'
    proof = Proof(content_type="application/json", body=body, answer={"predictions": ["C1"]})
    (prefix / "proof.json").write_bytes(dump_proof(proof))
    with ScorerProcess(prefix, DOCKYARD_MODEL=str(saved(models.save_knn_model))) as scorer:
        failure = scorer.wait_for("proof-differs")
        assert scorer.wait() == EXIT_DIFFERS == 5
    assert failure["message"].endswith("at predictions[0].")


def prove_into(folder: Path) -> tuple[str, ...]:
    """The command that proves a model, with what it writes in a folder."""
    return ("prove", "--output", str(folder / "proof.json"), "--measured", str(folder / "measured.json"))


def test_prove_writes_the_proof_that_serve_then_accepts(prefix: Path, saved: Saved) -> None:
    environment = {"DOCKYARD_MODEL": str(saved(models.save_knn_model)), "SAGEMAKER_BIND_TO_PORT": "0", "PORT": "1"}
    with ScorerProcess(prefix, *prove_into(prefix), **environment) as command:
        assert command.wait() == 0
    assert read_proof(prefix / "proof.json").answer == {"predictions": ["C2"]}
    with ScorerProcess(prefix, "serve", **environment) as scorer:
        scorer.wait_for("listening")
        assert scorer.wait_for("model-proved")["how"] == "proof"


def test_prove_exits_3_and_says_why_on_stderr_when_the_model_raises(prefix: Path, saved: Saved) -> None:
    environment = {"DOCKYARD_MODEL": str(saved(models.save_raising_model))}
    with ScorerProcess(prefix, *prove_into(prefix), **environment) as command:
        assert command.wait() == 3
    failure = json.loads(command.stderr[-1])
    assert (failure["level"], failure["event"]) == ("error", "proof-failed")
    assert not (prefix / "proof.json").exists()
    assert not (prefix / "measured.json").exists()


def test_port_in_use_ends_the_process_with_1(prefix: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with ScorerProcess(prefix, PORT=port) as scorer:
            failure = scorer.wait_for("port-unusable")
            assert scorer.wait() == 1
    assert failure["port"] == int(port)


def test_wrong_setting_ends_the_process_with_2(prefix: Path) -> None:
    with ScorerProcess(prefix, DOCKYARD_GRACE_SECONDS="soon") as scorer:
        failure = scorer.wait_for("bad-setting")
        assert scorer.wait() == 2
    assert failure["message"] == "DOCKYARD_GRACE_SECONDS must be a number of seconds above 0"
