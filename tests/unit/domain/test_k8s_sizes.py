"""What was measured of an image decides what its pods get, where the user has not said so."""

from __future__ import annotations

import dataclasses

import pytest

from dockyard.domain.image import LEAST_FOOTPRINT, Footprint, make_footprint, read_footprint
from dockyard.domain.k8s import K8sSettings


@pytest.mark.parametrize(
    ("peak", "seconds", "rounded"),
    [(1, 0.1, (128, 16)), (128, 16, (128, 16)), (128.1, 16.1, (160, 20)), (230, 31, (256, 32)), (5000, 100, (5120, 112))],
)
def test_measured_is_rounded_up_by_at_most_a_quarter(peak: float, seconds: float, rounded: tuple[int, int]) -> None:
    found = make_footprint(peak, seconds)
    assert (found.memory_mib, found.load_seconds) == rounded


def test_labels_tell_the_footprint() -> None:
    labels = LEAST_FOOTPRINT.to_labels()
    assert read_footprint(labels) == LEAST_FOOTPRINT
    assert [read_footprint({**labels, name: "much"}) for name in labels] == [None, None]
    assert read_footprint({}) is None


@pytest.mark.parametrize(
    ("footprint", "sizes"),
    [
        (None, ("250m", "1Gi", 120)),
        (LEAST_FOOTPRINT, ("250m", "512Mi", 120)),
        (Footprint(memory_mib=320, load_seconds=40), ("625m", "640Mi", 120)),
        (Footprint(memory_mib=2560, load_seconds=64), ("1", "5Gi", 192)),
        (Footprint(memory_mib=512, load_seconds=640), ("2", "1Gi", 1920)),
    ],
)
def test_pods_get_twice_the_memory_and_time_to_load(footprint: Footprint | None, sizes: tuple[str, str, int]) -> None:
    found = K8sSettings().size(footprint)
    assert (found.cpu, found.memory, found.ready_timeout_seconds) == sizes


@pytest.mark.parametrize(("limit", "asked"), [("100m", "100m"), ("0.5", "500m"), ("1", "1")])
def test_no_more_processor_time_is_asked_for_than_the_limit(limit: str, asked: str) -> None:
    slow = Footprint(memory_mib=256, load_seconds=600)
    assert K8sSettings(cpu_limit=limit).size(slow).cpu == asked


@pytest.mark.parametrize(
    ("tmp", "storage"), [("256Mi", "320Mi"), ("1G", "1018Mi"), ("1.5Gi", "1600Mi"), ("1000", "65Mi"), ("1000m", "65Mi")]
)
def test_disk_is_for_tmp_and_the_log(tmp: str, storage: str) -> None:
    assert K8sSettings(tmp_size=tmp).size(None).storage == storage


def test_what_the_user_has_said_stays() -> None:
    said = K8sSettings(cpu="1", memory="100Mi", ready_timeout_seconds=7, env=(("A", "b"),))
    sized = said.size(Footprint(memory_mib=4096, load_seconds=400))
    assert dataclasses.asdict(sized) == dataclasses.asdict(said) | {"storage": "320Mi"}
