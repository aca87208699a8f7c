"""The page about permissions prints the policies that it says, and tells of every placeholder and statement that there is."""

from __future__ import annotations

import contextlib
import io
import json
import re
from importlib.resources import files
from pathlib import Path

import pytest
import yaml

from dockyard.adapters.config_model import Configuration
from dockyard.adapters.sagemaker.policies import list_statements

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "sagemaker-permissions.md"
TEXT = PAGE.read_text("utf-8")
TEMPLATES = files("dockyard.adapters.sagemaker.policies")


def read_template(name: str) -> str:
    return TEMPLATES.joinpath(f"{name}.json").read_text("utf-8")


def find_block(language: str) -> str:
    (block,) = re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    return str(block)


def test_program_of_the_page_prints_three_policies() -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(find_block("python"), str(PAGE), "exec"), {})  # noqa: S102  the page's own program

    documents, rest = [], printed.getvalue()
    while rest.strip():
        document, end = json.JSONDecoder().raw_decode(rest)
        documents.append(document)
        rest = rest[end:].lstrip()

    assert [len(list_statements(document)) > 0 for document in documents] == [True, True, True]
    assert "${" not in printed.getvalue()


@pytest.mark.parametrize("name", ["deployer", "execution-role"])
def test_every_placeholder_is_explained(name: str) -> None:
    for placeholder in set(re.findall(r"\$\{\w+\}", read_template(name))):
        assert f"`{placeholder}`" in TEXT


def test_every_statement_of_the_deployer_is_explained_and_no_other() -> None:
    section = TEXT.partition("## What the deployer's statements are for")[2].partition("\n## ")[0]
    told = {name for row in re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}

    assert told == {one["Sid"] for one in list_statements(json.loads(read_template("deployer")))}


def test_configuration_of_the_page_is_one() -> None:
    configuration = Configuration.model_validate(yaml.safe_load(find_block("yaml")))

    place = configuration.environments["prod"].sagemaker
    assert place is not None
    assert place.create_role is False
