"""Requirements are rewritten for serving and otherwise left as the model's author wrote them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockyard_image import LockError, read_requirements, rewrite_requirements


@pytest.mark.parametrize(
    ("line", "becomes"),
    [
        ("mlflow==3.17.2", "mlflow-skinny==3.17.2"),
        ("MLflow == 3.17.2", "mlflow-skinny==3.17.2"),
        ("mlflow===3.17.2", "mlflow-skinny===3.17.2"),
        ("mlflow==3.17.2; python_version >= '3.10'", 'mlflow-skinny==3.17.2; python_version >= "3.10"'),
        ("mlflow==3.17.2  # logged", "mlflow-skinny==3.17.2"),
    ],
)
def test_pinned_mlflow_becomes_the_skinny_one(line: str, becomes: str) -> None:
    assert rewrite_requirements([line], [])[0] == becomes


@pytest.mark.parametrize(
    "line",
    [
        "mlflow[gateway]==3.17.2",
        "mlflow>=3,<4",
        "mlflow",
        "mlflow!=3.0,==3.*",
        "mlflow==2.20.4",
        "mlflow==2.*",
        "mlflow @ https://example.com/mlflow-3.17.2-py3-none-any.whl",
        "mlflow-skinny==3.17.2",
        "--extra-index-url https://example.com/simple",
        "not a requirement ===",
    ],
)
def test_everything_else_stays_as_it_was_written(line: str) -> None:
    assert rewrite_requirements([line, "numpy", "pandas"], []) == (line, "numpy", "pandas")


def test_pandas_and_numpy_are_added_only_where_they_are_missing() -> None:
    assert rewrite_requirements(["NumPy==2.1"], []) == ("NumPy==2.1", "pandas")
    assert rewrite_requirements([], []) == ("numpy", "pandas")


def test_conditional_numpy_does_not_count_as_there() -> None:
    assert "numpy" in rewrite_requirements(["numpy==2.1; python_version < '3'"], [])


def test_what_the_scorer_needs_is_added_beside_the_models_own_bounds() -> None:
    lines = rewrite_requirements(["uvicorn<0.40", "numpy", "pandas"], ["uvicorn>=0.30", "prometheus-client", "numpy"])
    assert lines == ("uvicorn<0.40", "numpy", "pandas", "uvicorn>=0.30", "prometheus-client")


def test_comments_and_blank_lines_go_but_fragments_stay() -> None:
    lines = ["# models", "", "a @ https://example.com/a-1-py3-none-any.whl#sha256=00", "b==1\t# why"]
    assert rewrite_requirements(lines, [])[:2] == ("a @ https://example.com/a-1-py3-none-any.whl#sha256=00", "b==1")


@given(st.lists(st.text(max_size=30), max_size=5), st.lists(st.text(max_size=30), max_size=3))
def test_rewriting_twice_changes_nothing_more(lines: list[str], extra: list[str]) -> None:
    once = rewrite_requirements(lines, extra)
    assert rewrite_requirements(once, extra) == once


def test_files_named_in_a_requirements_file_are_read_in(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(
        "a==1\n-r more.txt\n--constraint=limits.txt\n-c limits.txt\n--pre\nlong \\\n  >=2\n"
    )
    (tmp_path / "more.txt").write_text("b\na==1\n-r requirements.txt\n")
    (tmp_path / "limits.txt").write_text("b<3\n")
    found = read_requirements(tmp_path / "requirements.txt")
    assert found.requirements == ("a==1", "b", "--pre", "long    >=2")
    assert found.constraints == ("b<3",)


@pytest.mark.parametrize("line", ["-e .", "--editable ./x", "-r ../other.txt", "-c /etc/hostname", "--no-binary :all:"])
def test_what_cannot_be_locked_to_wheels_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "requirements.txt").write_text(f"a==1\n{line}\n")
    with pytest.raises(LockError) as caught:
        read_requirements(tmp_path / "requirements.txt")
    assert caught.value.code == "requirements-unsupported"


def test_missing_requirements_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LockError, match=r"requirements\.txt") as caught:
        read_requirements(tmp_path / "requirements.txt")
    assert caught.value.code == "requirements-unreadable"
