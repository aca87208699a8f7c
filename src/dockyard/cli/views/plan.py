"""Owns how a plan looks: what changes, before and after, and the steps in order."""

from __future__ import annotations

from dockyard.cli.text import clean_text, count_of
from dockyard.domain.plan import Change, Outcome, Plan


def plan_lines(plan: Plan) -> tuple[str, ...]:
    """A plan as lines."""
    if plan.is_empty:
        return (f"{plan.key}: nothing to do",)
    steps = tuple(f"  {number}. {clean_text(step.describe())}" for number, step in enumerate(plan.steps, start=1))
    changes = _change_lines(plan.changes)
    summary = f"{count_of(len(plan.changes), 'change')}, {count_of(len(plan.steps), 'step')}"
    notes = tuple(f"  {clean_text(note)}" for note in plan.notes)
    return (_title(plan), *_block(changes), *_block(steps), *_block(notes), "", f"plan: {summary}")


def outcome_lines(outcomes: tuple[Outcome, ...]) -> tuple[str, ...]:
    """How steps went, as lines."""
    return tuple(
        f"  {one.status.value:<8}{one.seconds:>8.2f} s  {clean_text(one.description)}{_tell_why(one)}" for one in outcomes
    )


def _tell_why(outcome: Outcome) -> str:
    why = outcome.error or dict(outcome.facts).get("reason")
    return f": {why}" if why else ""


def _title(plan: Plan) -> str:
    match plan.previous, plan.revision:
        case None, None:
            return f"{plan.key}:"
        case None, after:
            return f"{plan.key}: revision {after}, the first to serve"
        case before, None:
            return f"{plan.key}: revision {before} goes away"
        case before, after if before == after:
            return f"{plan.key}: revision {after} stays"
        case before, after:
            return f"{plan.key}: revision {before} -> {after}"


def _change_lines(changes: tuple[Change, ...]) -> tuple[str, ...]:
    width = max((len(change.what) for change in changes), default=0)
    return tuple(_change_line(change, width) for change in changes)


def _change_line(change: Change, width: int) -> str:
    what = clean_text(change.what).ljust(width)
    if change.before is None:
        return f"  + {what}  {clean_text(change.after or '')}"
    if change.after is None:
        return f"  - {what}  {clean_text(change.before)}"
    return f"  ~ {what}  {clean_text(change.before)} -> {clean_text(change.after)}"


def _block(lines: tuple[str, ...]) -> tuple[str, ...]:
    return ("", *lines) if lines else ()
