"""Owns how the number of a deployment's pods follows its load: by a HorizontalPodAutoscaler, or by KEDA."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusTrigger:
    """As many pods as a query's result needs."""

    server: str
    """Prometheus' address, as KEDA reaches it."""
    query: str
    """PromQL with one value."""
    threshold: str
    """How much of it each pod is to have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CronTrigger:
    """So many pods at some hours."""

    timezone: str
    """As `Europe/Berlin`."""
    start: str
    """A cron expression, as `0 8 * * 1-5`."""
    end: str
    replicas: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Autoscaling:
    """Between which numbers, and by what."""

    min_replicas: int = 2
    max_replicas: int
    cpu_percent: int | None = None
    """Of what pods ask for, on the average of all."""
    memory_percent: int | None = None
    scale_down_seconds: int = 300
    """How long less load must last before there are fewer pods."""
    prometheus: tuple[PrometheusTrigger, ...] = ()
    cron: tuple[CronTrigger, ...] = ()

    @property
    def kind(self) -> str:
        """The kind of object that does it."""
        return "ScaledObject" if self.prometheus or self.cron else "HorizontalPodAutoscaler"
