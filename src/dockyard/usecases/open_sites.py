"""Owns which site an environment has. Opens none before it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dockyard.domain.deployment import Target
from dockyard.domain.settings import EnvironmentSettings, Settings
from dockyard.usecases.site import Site


class OpenSites:
    """The places to deploy to, each opened when it is first asked for."""

    def __init__(self, settings: Settings, local: Site, others: Mapping[Target, Callable[[str], Site]]) -> None:
        """`others` open the site of an environment that is for that target."""
        self._settings = settings
        self._local = local
        self._open = others
        self._opened: dict[str, Site] = {}

    def find(self, environment: str) -> Site:
        """The site of an environment. Raises UsageError `environment-unknown`."""
        target = self._settings.find_environment(environment).target
        if target is Target.LOCAL:
            return self._local
        if environment not in self._opened:
            self._opened[environment] = self._open[target](environment)
        return self._opened[environment]

    def list(self) -> tuple[Site, ...]:
        """This machine, and what else is configured."""
        others = (one for one in self._settings.environments if one.target is not Target.LOCAL)
        return (self._local, *(self.find(one.name) for one in others if one.is_configured or self._was_used(one)))

    def _was_used(self, place: EnvironmentSettings) -> bool:
        """Whether anything was deployed there from here."""
        return any((self._settings.state_home / "journal").glob(f"{place.target.value}.{place.name}.*.json"))
