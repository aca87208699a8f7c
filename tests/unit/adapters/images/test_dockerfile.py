"""The engine builder's Dockerfile: order, rights, quoting, and a context that is the same each time."""

from __future__ import annotations

import io
import re
import shlex
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockyard.adapters.images.dockerfile import BuildContext, quote_value, render_dockerfile, write_context


@pytest.fixture
def context(tmp_path: Path) -> BuildContext:
    (tmp_path / "model" / "data").mkdir(parents=True)
    (tmp_path / "model" / "MLmodel").write_text("flavors: {}\n")
    (tmp_path / "model" / "data" / "model.bin").write_bytes(b"\x00\x01")
    return BuildContext(
        base="docker.io/library/python@sha256:" + "a" * 64,
        requirements=("mlflow-skinny==3.17.2", "numpy"),
        constraints=("numpy<3",),
        system_packages=("libgomp1",),
        scorer_files={"__main__.py": b"main", "dockyard_scorer/__init__.py": b""},
        model=tmp_path / "model",
        labels={"b": 'says "hi" to $HOME\\', "a": "1"},
    )


def test_dependencies_come_before_scorer_and_model_and_tools_stay_behind(context: BuildContext) -> None:
    text = render_dockerfile(context)
    first, second = text.split("\nFROM ")[1:] if text.startswith("FROM") else text.split("FROM ")[1:]
    assert "build-essential" in first
    assert "build-essential" not in second
    assert "libgomp1" in second
    places = [second.index(part) for part in ("site-packages", "COPY scorer", "COPY model", "LABEL", "USER 65532:65532")]
    assert places == sorted(places)
    assert second.rstrip().endswith('CMD ["serve"]')


def test_no_system_packages_need_no_further_installation(context: BuildContext) -> None:
    plain = BuildContext(
        base=context.base, requirements=(), constraints=(), system_packages=(), scorer_files={}, model=context.model, labels={}
    )
    final = render_dockerfile(plain).rsplit("FROM ", 1)[1]
    assert "apt-get" not in final
    assert "RUN" not in final


def test_labels_are_sorted_and_quoted(context: BuildContext) -> None:
    labels = re.findall(r"^LABEL (.*)$", render_dockerfile(context), re.MULTILINE)
    assert labels == ['"a"="1"', '"b"="says \\"hi\\" to \\$HOME\\\\"']


@given(st.text())
def test_quoted_values_stay_one_word_on_one_line(value: str) -> None:
    quoted = quote_value(value.replace("\r", ""))
    assert "\n" not in quoted
    words = shlex.split(quoted.replace("\\$", "$"), posix=True)
    assert words == [" ".join(value.replace("\r", "").split("\n"))]


def test_context_holds_all_files_and_is_the_same_each_time(context: BuildContext) -> None:
    one, other = io.BytesIO(), io.BytesIO()
    write_context(context, one)
    write_context(context, other)
    assert one.getvalue() == other.getvalue()
    with tarfile.open(fileobj=io.BytesIO(one.getvalue())) as archive:
        members = {member.name: member for member in archive}
        assert {
            "Dockerfile",
            "requirements.txt",
            "constraints.txt",
            "image.json",
            "model/MLmodel",
            "model/data/model.bin",
        } <= set(members)
        assert {"scorer/__main__.py", "scorer/dockyard_scorer/__init__.py"} <= set(members)
        assert all(member.mtime == 0 and member.uid == 0 for member in members.values())
        assert len([member for member in members.values() if member.name == "model"]) == 1
        content = archive.extractfile("requirements.txt")
        assert content is not None
        assert content.read() == b"mlflow-skinny==3.17.2\nnumpy\n"
