"""The composition root of `dockyard stack`. Must not decide anything."""

from __future__ import annotations

from pathlib import Path

from dockyard.domain.deployment import Runtime
from dockyard.domain.settings import Settings
from dockyard.domain.stack import StackKind, StackWish
from dockyard.ports_stack import StackHost
from dockyard.usecases.stack import StackDesk


def open_stacks(settings: Settings, here: Path) -> StackDesk:
    """The stacks of this user; `here` is where they stand. Nothing is contacted before one of the desk's methods is called."""
    from dockyard.adapters.stack.book import FolderBook

    folder = settings.state_home / "stacks"

    def open_host(wish: StackWish) -> StackHost:
        if wish.kind is StackKind.LOCAL and wish.runtime is Runtime.DOCKER:
            from dockyard.adapters.stack.containers import ContainerStack

            return ContainerStack(folder / wish.name, wish)
        if wish.kind is StackKind.LOCAL:
            from dockyard.adapters.stack.embedded import EmbeddedStack

            return EmbeddedStack(folder / wish.name, wish)
        from dockyard.adapters.k8s.api import KubeApi
        from dockyard.adapters.stack.release import StackRelease, run_program
        from dockyard.domain.k8s import ClusterAccess

        return StackRelease(wish, KubeApi(ClusterAccess(context=wish.context, namespace=wish.namespace)), run_program)

    def settle(wish: StackWish) -> StackWish:
        from dockyard.adapters.local.engine import engine_answers
        from dockyard.adapters.stack.image import settle_wish
        from dockyard.adapters.stack.release import run_program

        return settle_wish(wish, here, run_program, engine_answers)

    return StackDesk(book=FolderBook(folder), open_host=open_host, settle=settle)
