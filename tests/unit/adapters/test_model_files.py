"""Reading a model's folder: the same facts that MLflow reads, the same digest that `sha256sum` gives, and clear refusals."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockyard.adapters.model_files import digest_folder, has_example, list_files, parse_mlmodel, read_facts, read_requirements
from dockyard.domain.errors import DockyardError, UsageError
from support.model_folder import MLMODEL, write_model_folder

WHAT = "`wine`"


def test_facts_are_those_of_the_file() -> None:
    facts = parse_mlmodel(MLMODEL.encode(), WHAT)
    assert facts.flavors == ("python_function", "sklearn")
    assert facts.python == "3.11"
    assert facts.created == "2026-11-22T06:32:19.123456+00:00"
    assert facts.serving_example == "serving_input_example.json"
    assert (facts.model_id, facts.run_id) == (None, None)


def test_signature_is_canonical_json() -> None:
    signature = parse_mlmodel(MLMODEL.encode(), WHAT).signature
    assert signature == (
        '{"inputs":[{"name":"acid","required":true,"type":"double"}],"outputs":[{"required":true,"type":"double"}],"params":null}'
    )


def test_python_3_10_is_not_read_as_a_number() -> None:
    # YAML's 3.10 is the number 3.1.
    assert parse_mlmodel(MLMODEL.replace("3.11.7", "3.10").encode(), WHAT).python == "3.10"


def test_ids_are_read_where_mlflow_wrote_them() -> None:
    text = MLMODEL.replace("model_id: null", "model_id: m-00000000000000000000000000000001\nrun_id: abc")
    facts = parse_mlmodel(text.encode(), WHAT)
    assert (facts.model_id, facts.run_id) == ("m-00000000000000000000000000000001", "abc")


def test_model_without_signature_example_or_time_is_still_a_model() -> None:
    text = "flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n    python_version: 3.12.1\n"
    facts = parse_mlmodel(text.encode(), WHAT)
    assert (facts.signature, facts.created, facts.python) == (None, None, "3.12")


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("", "model-invalid", "not a mapping"),
        ("- a\n- b\n", "model-invalid", "not a mapping"),
        ("just text", "model-invalid", "not a mapping"),
        ("flavors: [", "model-invalid", "YAML cannot be parsed (line 1)"),
        ("a: b\n\tc: d", "model-invalid", "YAML cannot be parsed (line 2)"),
        ("a: \x00", "model-invalid", "YAML cannot be parsed"),
        ("[" * 5000, "model-invalid", "YAML cannot be parsed"),
        ("run_id: abc\n", "model-invalid", "names no flavors"),
        ("flavors: {}\n", "model-invalid", "names no flavors"),
        ("flavors: sklearn\n", "model-invalid", "names no flavors"),
        ("flavors:\n  sklearn: {}\n  onnx: {}\n", "model-without-pyfunc", "only onnx, sklearn"),
        ("flavors:\n  python_function: {}\n", "model-invalid", "names no loader_module"),
        ("flavors:\n  python_function: text\n", "model-invalid", "names no loader_module"),
        (MLMODEL.replace("    python_version: 3.11.7\n", ""), "model-invalid", "which Python"),
        (MLMODEL.replace("3.11.7", "three"), "model-invalid", "which Python"),
        (MLMODEL.replace("""'[{"type": "double", "required": true}]'""", "'[{'"), "model-invalid", "signature is not JSON"),
    ],
)
def test_what_cannot_be_served_is_refused_with_the_reason(text: str, code: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_mlmodel(text.encode(), WHAT)
    assert caught.value.code == code
    assert WHAT in caught.value.message
    assert says in caught.value.message
    assert caught.value.hint


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(UsageError, match="YAML cannot be parsed"):
        parse_mlmodel(b"\xff\xfe\xff\x00\xd8", WHAT)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        parse_mlmodel(content, WHAT)
    except UsageError as error:
        assert error.code in {"model-invalid", "model-without-pyfunc"}


def test_digest_is_what_sha256sum_over_the_sorted_files_gives(tmp_path: Path) -> None:
    folder = write_model_folder(tmp_path / "wine")
    command = "find . -type f -printf '%P\\n' | LC_ALL=C sort | xargs sha256sum | sha256sum"
    shown = subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, text=True, check=True).stdout
    assert digest_folder(folder, list_files(folder, WHAT)) == "sha256:" + shown.split()[0]


def test_file_that_mlflow_adds_when_it_downloads_does_not_count(tmp_path: Path) -> None:
    folder = write_model_folder(tmp_path / "wine")
    before = list_files(folder, WHAT)
    (folder / "registered_model_meta").write_text("model_name: wine\n")
    assert list_files(folder, WHAT) == before


def test_link_to_a_file_counts_as_the_file(tmp_path: Path) -> None:
    plain, linked = write_model_folder(tmp_path / "plain"), write_model_folder(tmp_path / "linked")
    (linked / "model.skops").unlink()
    (linked / "model.skops").symlink_to(plain / "model.skops")
    assert digest_folder(linked, list_files(linked, WHAT)) == digest_folder(plain, list_files(plain, WHAT))


def test_what_an_image_cannot_hold_is_refused(tmp_path: Path) -> None:
    for name in ("loop", "dangling", "pipe"):
        folder = write_model_folder(tmp_path / name)
        if name == "pipe":
            os.mkfifo(folder / name)
        else:
            (folder / name).symlink_to(folder if name == "loop" else folder / "nothing")
        with pytest.raises(UsageError, match=f"`{name}`") as caught:
            list_files(folder, WHAT)
        assert caught.value.code == "model-invalid"


def test_folder_that_vanishes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="its files cannot be read"):
        list_files(tmp_path / "gone", WHAT)


def test_folder_without_mlmodel_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no MLmodel file") as caught:
        read_facts(tmp_path, WHAT)
    assert caught.value.code == "model-invalid"


def test_mlmodel_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "MLmodel").mkdir()
    with pytest.raises(UsageError, match="cannot be read"):
        read_facts(tmp_path, WHAT)


def test_example_counts_only_inside_the_folder(tmp_path: Path) -> None:
    folder = write_model_folder(tmp_path / "wine")
    (tmp_path / "outside.json").write_text("{}")
    facts = read_facts(folder, WHAT)
    assert has_example(folder, facts)
    for path in ("../outside.json", str(tmp_path / "outside.json"), "nothing.json"):
        text = MLMODEL.replace("serving_input_example.json", path)
        assert not has_example(folder, parse_mlmodel(text.encode(), WHAT))


def test_requirements_come_from_conda_yaml_where_there_is_no_requirements_txt(tmp_path: Path) -> None:
    (tmp_path / "conda.yaml").write_text("dependencies:\n- python=3.11\n- pip:\n  - mlflow\n  - numpy==2.1 # pinned\n- scipy\n")
    assert read_requirements(tmp_path, WHAT).requirements == ("mlflow", "numpy==2.1")


@pytest.mark.parametrize("text", ["dependencies: none\n", "channels: []\n", "dependencies:\n- pip: none\n"])
def test_conda_yaml_without_pip_section_has_no_requirements(tmp_path: Path, text: str) -> None:
    (tmp_path / "conda.yaml").write_text(text)
    assert read_requirements(tmp_path, WHAT).requirements == ()


def test_folder_without_any_requirements_has_none(tmp_path: Path) -> None:
    assert read_requirements(tmp_path, WHAT).requirements == ()


def test_constraints_beside_the_requirements_are_read_in(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("mlflow==3.17.2 --hash=sha256:abc\n-c constraints.txt\n")
    (tmp_path / "constraints.txt").write_text("numpy<3\n")
    found = read_requirements(tmp_path, WHAT)
    assert (found.requirements, found.constraints) == (("mlflow==3.17.2",), ("numpy<3",))


def test_requirement_that_only_the_logging_machine_has_is_refused(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("-e ./local\n")
    with pytest.raises(DockyardError, match="requirements cannot be used") as caught:
        read_requirements(tmp_path, WHAT)
    assert caught.value.code == "model-invalid"


def test_requirements_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(DockyardError, match="requirements cannot be used") as caught:
        read_requirements(tmp_path, WHAT)
    assert caught.value.code == "model-invalid"
