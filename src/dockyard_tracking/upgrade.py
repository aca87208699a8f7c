"""Brings one schema to the head of its history, revision by revision.

Owns the order, the base tables of an empty database, and that the revision which may have begun before is gone over with care.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationStep
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect

from dockyard_tracking.replay import mend_definitions, resume_revision
from dockyard_tracking.schema import Comparison, Schema, open_scripts

_Revisions = str | tuple[str, ...] | None
Told = Callable[[str], None]
"""Is told each revision that is about to be applied."""


def upgrade_schema(engine: Engine, comparison: Comparison, told: Told) -> None:
    """Apply what is missing. Each revision is committed for itself, so a kill loses none that is done."""
    schema = comparison.schema
    found = comparison.found
    if found is None:
        found = prepare_unversioned(engine, schema)
    scripts = open_scripts(schema)
    is_mysql = engine.dialect.name == "mysql"
    for position, revision in enumerate(list_pending(scripts, found, comparison.head)):
        told(revision)
        # Only the first may have begun: the one before it would not have been recorded otherwise.
        may_have_begun = is_mysql and position == 0
        with mend_definitions(may_have_begun=may_have_begun) if is_mysql else contextlib.nullcontext():
            apply_revision(engine, scripts, revision, may_have_begun=may_have_begun)


def list_pending(scripts: ScriptDirectory, found: str | None, head: str) -> Sequence[str]:
    """The revisions from the one after `found` to `head`, oldest first."""
    return [one.revision for one in reversed(list(scripts.iterate_revisions(head, found or "base")))]


def prepare_unversioned(engine: Engine, schema: Schema) -> str | None:
    """What MLflow does to a database without a version. Returns the revision that it then counts as."""
    if schema.title == "auth":
        if "users" not in inspect(engine).get_table_names():
            return None
        # Made by an MLflow before 3.6, which kept no version: it is what the first revision makes.
        scripts = open_scripts(schema)
        first = str(scripts.get_base())
        _run(engine, scripts, functools.partial(_stamp, scripts, first))
        return first
    if schema.title == "tracking":
        from mlflow.store.tracking.dbmodels.initial_models import Base

        Base.metadata.create_all(engine)  # makes only those that are missing
    return None


def apply_revision(engine: Engine, scripts: ScriptDirectory, revision: str, *, may_have_begun: bool) -> None:
    """Apply one revision. `may_have_begun`: what a killed one has left is taken into account."""
    is_complete = False
    if may_have_begun:
        with engine.begin() as connection:
            is_complete = resume_revision(connection, scripts.get_revision(revision))
    _run(engine, scripts, functools.partial(_stamp if is_complete else _upgrade, scripts, revision))


# As alembic's commands `upgrade` and `stamp`, which would read all scripts anew for each revision.
def _upgrade(scripts: ScriptDirectory, revision: str, found: _Revisions, _context: object) -> Iterable[MigrationStep]:
    return scripts._upgrade_revs(revision, found)  # type: ignore[arg-type]  # noqa: SLF001


def _stamp(scripts: ScriptDirectory, revision: str, found: _Revisions, _context: object) -> Iterable[MigrationStep]:
    return scripts._stamp_revs(revision, found)  # type: ignore[arg-type]  # noqa: SLF001


def _run(engine: Engine, scripts: ScriptDirectory, choose: Callable[[_Revisions, object], Iterable[MigrationStep]]) -> None:
    folder = Path(scripts.dir)
    config = Config(str(folder / "alembic.ini"))
    config.set_main_option("script_location", str(folder))
    # The scripts make connections of their own by this address; it holds no password, see `dockyard_tracking.database`.
    config.set_main_option("sqlalchemy.url", engine.url.render_as_string(hide_password=False).replace("%", "%%"))
    with engine.connect() as connection, EnvironmentContext(config, scripts, fn=choose):
        config.attributes["connection"] = connection
        scripts.run_env()
