"""Owns the verbs of `dockyard stack`: what comes before what, and what is refused. Must not know where a stack runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from dockyard.domain.deployment import Runtime
from dockyard.domain.errors import ConflictError, NotFoundError, UsageError
from dockyard.domain.result import ResultStatus, StackResult
from dockyard.domain.stack import LOCAL_PORT, StackKind, StackWish
from dockyard.ports_stack import OpenHost, SettleWish, StackBook, StackHost

_READING = frozenset({"backups", "verify"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StackDesk:
    """The stacks of this user."""

    book: StackBook
    open_host: OpenHost
    settle: SettleWish

    def up(self, wish: StackWish) -> StackResult:
        """Bring a stack up. Raises `stack-differs` where one of that name is of another kind."""
        present = self.book.find(wish.name)
        if wish.kind is StackKind.LOCAL:
            wish = self.settle(replace(wish, port=wish.port or LOCAL_PORT)) if present is None else _go_on(wish, present)
        if present is not None and (present.kind, present.runtime) != (wish.kind, wish.runtime):
            runtime = f" with the runtime {present.runtime.value}" if present.kind is StackKind.LOCAL else ""
            raise ConflictError(
                "stack-differs",
                f"the stack `{wish.name}` is of the kind {present.kind.value}{runtime}",
                hint="give this one another `--name`",
            )
        host = self.open_host(wish)
        was_ready = present == wish and host.look().is_ready
        self.book.write(wish)  # first, so that one whose start fails can be looked at and taken down
        host.start()
        return _tell(wish, host, ResultStatus.UNCHANGED if was_ready else ResultStatus.DONE)

    def status(self, name: str) -> StackResult:
        """How a stack is."""
        wish, host = self._find(name)
        return _tell(wish, host, ResultStatus.DONE)

    def logs(self, name: str, tail: int) -> tuple[str, ...]:
        """The last lines of a stack's servers."""
        return self._find(name)[1].read_logs(tail)

    def run(self, name: str, command: str, backup: str = "") -> StackResult:
        """Run a command beside a stack, about a backup where it is one of those."""
        wish, host = self._find(name)
        answer = host.run(command, backup)
        status = ResultStatus.UNCHANGED if command in _READING else ResultStatus.DONE
        return _tell(wish, host, status, answer)

    def upgrade(self, name: str, image: str | None, values: tuple[str, ...], *, with_backup: bool) -> StackResult:
        """Bring a stack to another image or other values, after a backup. Nothing is changed where the backup fails."""
        wish, host = self._find(name)
        if image and wish.kind is StackKind.LOCAL and wish.runtime is Runtime.PROCESS:
            raise UsageError(
                "usage", f"the stack `{name}` runs no image", hint="upgrade Dockyard and MLflow, then go without `--image`"
            )
        answer = host.run("backup", "") if with_backup else None
        newer = replace(wish, image=image or wish.image, values=values or wish.values)
        self.book.write(newer)
        host = self.open_host(newer)
        host.start()
        return _tell(newer, host, ResultStatus.DONE, answer)

    def down(self, name: str, *, delete_data: bool, confirmed: str | None) -> StackResult:
        """Stop a stack. Its data go only where that was said twice, the second time with the stack's name."""
        if delete_data and confirmed != name:
            raise UsageError(
                "consent-needed",
                f"the data of the stack `{name}` would be deleted",
                hint=f"say so twice: `--delete-data --yes-delete-data {name}`; its backups stay",
            )
        if confirmed is not None and not delete_data:
            raise UsageError("usage", "`--yes-delete-data` confirms `--delete-data`, which was not given")
        wish, host = self._find(name)
        host.remove(with_data=delete_data)
        result = _tell(wish, host, ResultStatus.DONE)
        if delete_data:
            self.book.forget(name)
        return result

    def _find(self, name: str) -> tuple[StackWish, StackHost]:
        wish = self.book.find(name)
        if wish is None:
            raise NotFoundError("stack-unknown", f"there is no stack `{name}`", hint="make one with `dockyard stack up`")
        return wish, self.open_host(wish)


def _go_on(wish: StackWish, present: StackWish) -> StackWish:
    """A local stack that is there goes on as it was, where nothing else is said."""
    runtime = present.runtime if wish.runtime is Runtime.AUTO else wish.runtime
    return replace(wish, runtime=runtime, image=wish.image or present.image, port=wish.port or present.port)


def _tell(wish: StackWish, host: StackHost, status: ResultStatus, answer: Mapping[str, object] | None = None) -> StackResult:
    look = host.look()
    return StackResult(
        status=status,
        name=wish.name,
        kind=wish.kind.value,
        is_up=look.is_up,
        is_ready=look.is_ready,
        url=look.url,
        environment=look.environment,
        notes=look.notes,
        answer=answer,
    )
