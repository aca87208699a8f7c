"""Following a log that can only be read anew: every line once, whoever logs it and whatever happens between."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from typing_extensions import override

from dockyard.domain.deployment import DeploymentKey
from dockyard.testing.k8s import MemoryCluster
from dockyard.testing.surroundings import ManualClock
from dockyard.usecases.follow import follow_lines
from support.k8s_bench import K8sBench, run
from support.k8s_values import KEY


def follow(looks: Sequence[Sequence[str]], *, count: int, tail: int = 10) -> list[str]:
    """The first `count` lines that somebody sees who follows two pods."""
    left: Iterator[Sequence[str]] = iter(looks)
    lines = follow_lines(lambda _: next(left), tail, ManualClock(), lambda line: line.partition(": ")[0])
    return list(islice(lines, count))


def test_several_pods_go_on_each_by_itself() -> None:
    looks = [["a: 1", "b: 1"], ["a: 1", "a: 2", "b: 1"], ["a: 1", "a: 2", "b: 1", "b: 2"], ["a: 2", "a: 3", "b: 2", "c: 1"]]
    assert follow(looks, count=6) == ["a: 1", "b: 1", "a: 2", "b: 2", "a: 3", "c: 1"]


def test_nothing_is_told_twice_after_a_moment_in_which_nothing_could_be_read() -> None:
    assert follow([["a: 1", "b: 1"], [], ["b: 1"], ["a: 1", "a: 2", "b: 1"]], count=3) == ["a: 1", "b: 1", "a: 2"]


@dataclass(kw_only=True)
class TalkingCluster(MemoryCluster):
    """Its pods have logged more each time."""

    looks: Iterator[tuple[str, ...]]

    @override
    def read_logs(self, key: DeploymentKey, number: int, *, tail: int) -> tuple[str, ...]:
        return next(self.looks)


def test_pods_of_a_deployment_are_told_apart() -> None:
    bench = K8sBench()
    run(bench)
    looks = [("wine-1-a: x", "wine-1-b: x"), ("wine-1-a: x", "wine-1-a: y", "wine-1-b: x"), ("wine-1-a: y", "wine-1-b: z")]
    talking = TalkingCluster(faults=bench.faults, clock=bench.clock, looks=iter(looks))
    lines = dataclasses.replace(bench.site, inventory=talking).read_logs(KEY, 1, follow=True, tail=5)
    assert list(islice(lines, 4)) == ["wine-1-a: x", "wine-1-b: x", "wine-1-a: y", "wine-1-b: z"]
