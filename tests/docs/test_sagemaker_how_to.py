"""Claims about the how-to page on SageMaker: its configurations are ones, and its commands take the options that they have."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from dockyard.adapters.config_file import Surroundings, load_settings
from dockyard.adapters.sagemaker.settings_rules import find_contradictions
from dockyard.cli.app import app
from dockyard.domain.deployment import Target
from support.console import ROOT

PAGE = (ROOT / "docs" / "how-to" / "deploy-to-sagemaker.md").read_text()
CONFIGURATIONS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = re.findall(r"^    ((?:deploy|dockyard) .+)$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("text", CONFIGURATIONS)
def test_configuration_of_the_page_is_one_and_contradicts_nothing(text: str, tmp_path: Path) -> None:
    (tmp_path / "dockyard.yaml").write_text(text)

    settings = load_settings(Surroundings(folder=tmp_path, environ={"HOME": str(tmp_path)}))

    places = [one for one in settings.environments if one.is_configured]
    assert places
    for place in places:
        assert place.target is Target.SAGEMAKER
        assert list(find_contradictions(place.sagemaker.settings, place.sagemaker.policy)) == []


@pytest.mark.parametrize("text", COMMANDS)
def test_command_of_the_page_takes_its_options(text: str) -> None:
    program, *arguments = shlex.split(text)
    if program == "deploy":
        arguments = ["deploy", *arguments]
    command = get_command(app)
    while isinstance(command, TyperGroup):
        context = command.make_context("dockyard", list(arguments), resilient_parsing=True)
        _, found, arguments = command.resolve_command(context, arguments)
        assert found is not None
        command = found

    assert command.make_context(program, list(arguments)).args == []


def test_page_has_configurations_and_commands() -> None:
    assert (len(CONFIGURATIONS), len(COMMANDS)) > (5, 5)
