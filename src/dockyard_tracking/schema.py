"""Which revision a database's schema is at, and which one this MLflow needs.

Owns the comparison. Reads the database only; `dockyard_tracking.upgrade` changes it.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from dockyard_tracking.settings import Auth

State = Literal["at-head", "behind", "missing", "ahead"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """One history of migrations: its name, where its scripts are, and the table that holds the revision."""

    title: str
    scripts: Path
    version_table: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a database has of a schema."""

    schema: Schema
    found: str | None
    head: str
    state: State


def list_schemas(auth: Auth) -> Sequence[Schema]:
    """The schemas that a server needs: MLflow's own, and that of its users with basic auth. Both lie in one database."""
    folder = _find_mlflow()
    tracking = Schema(title="tracking", scripts=folder / "store/db_migrations", version_table="alembic_version")
    users = Schema(title="auth", scripts=folder / "server/auth/db/migrations", version_table="alembic_version_auth")
    return [tracking, users] if auth == "basic" else [tracking]


def _find_mlflow() -> Path:
    # Found, not imported: a probe or a refusal must not wait for all of MLflow.
    spec = find_spec("mlflow")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("mlflow")
    return Path(spec.origin).parent


def open_scripts(schema: Schema) -> ScriptDirectory:
    """The schema's migration scripts."""
    return ScriptDirectory(str(schema.scripts))


@functools.lru_cache
def _read_history(schema: Schema) -> tuple[str, frozenset[str]]:
    scripts = open_scripts(schema)
    head = scripts.get_current_head()
    if head is None:
        raise LookupError(f"no migrations in {schema.scripts}")
    return head, frozenset(one.revision for one in scripts.walk_revisions())


def compare_schema(connection: Connection, schema: Schema) -> Comparison:
    """Where the database stands."""
    context = MigrationContext.configure(connection, opts={"version_table": schema.version_table})
    found = context.get_current_revision()
    head, known = _read_history(schema)
    return Comparison(schema=schema, found=found, head=head, state=judge_revision(found, head, known))


def judge_revision(found: str | None, head: str, known: frozenset[str]) -> State:
    """A revision that this MLflow does not know comes from a newer one."""
    if found is None:
        return "missing"
    if found == head:
        return "at-head"
    return "behind" if found in known else "ahead"
