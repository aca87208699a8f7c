"""Claims about how a plan reads."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dockyard.cli.views.plan import plan_lines
from dockyard.domain.plan import Change
from support.results import EMPTY_PLAN, PLAN


@pytest.mark.parametrize(
    ("previous", "revision", "title"),
    [
        (None, None, "local/wine:"),
        (None, 1, "local/wine: revision 1, the first to serve"),
        (1, None, "local/wine: revision 1 goes away"),
        (1, 1, "local/wine: revision 1 stays"),
        (1, 2, "local/wine: revision 1 -> 2"),
    ],
)
def test_the_title_says_which_revision_serves_before_and_after(previous: int | None, revision: int | None, title: str) -> None:
    assert plan_lines(replace(PLAN, previous=previous, revision=revision))[0] == title


def test_an_empty_plan_is_one_line() -> None:
    assert plan_lines(EMPTY_PLAN) == ("local/wine: nothing to do",)


def test_a_plan_without_changes_or_steps_has_no_empty_block() -> None:
    assert plan_lines(replace(PLAN, changes=(), steps=PLAN.steps[:1]))[1:] == (
        "",
        "  1. build the image with the direct builder (every requirement has a wheel)",
        "",
        "plan: 0 changes, 1 step",
    )


def test_hostile_text_in_a_plan_stays_on_its_line() -> None:
    change = Change(what="model", before="a\nb", after="\x1b[31mc")
    assert "  ~ model  a\\nb -> \\x1b[31mc" in plan_lines(replace(PLAN, changes=(change,)))
