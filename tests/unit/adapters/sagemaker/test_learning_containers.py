"""Which AWS Deep Learning Container a base means, by region, instances and the model's Python; what is told where none fits.

The data here has the forms that the SageMaker SDK's has; `tests/lab/test_sagemaker_sdk.py` asks the SDK itself.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from dockyard.adapters.sagemaker.learning_containers import SdkLearningContainers
from dockyard.adapters.sagemaker.sdk_images import Wanted
from dockyard.domain.errors import NotFoundError
from dockyard.domain.learning_container import parse_learning_container
from dockyard.domain.sagemaker import Instances, SageMakerSettings, Serverless
from support.sagemaker_values import GIVEN_ROLE

AMERICA, EUROPE = "us-east-1", "eu-west-1"


def release(*pythons: str, regions: tuple[str, ...] = (AMERICA, EUROPE)) -> dict[str, object]:
    account = dict.fromkeys(regions, "763104351884")
    return {"repository": "images", "registries": account, "py_versions": list(pythons)}


FRAMEWORKS: dict[str, dict[str, Any]] = {
    "pytorch": {
        "training": {"versions": {"9.0.0": release("py311")}},
        "inference": {
            "version_aliases": {"2.5": "2.5.1"},
            "versions": {
                "2.5.1": release("py311"),
                "2.6.0": release("py311", "py312"),
                "2.10.0": release("py311", regions=(AMERICA,)),
                "1.1.0": release("py2", "py3"),
                "not-a-version": release("py311"),
            },
        },
        "inference_graviton": {"versions": {"2.5.1": release("py311")}},
    },
    "split": {"scope": ["inference"], "versions": {"1.0": {"py310": release(), "py311": release()}}},
    "trained": {"scope": ["training"], "versions": {"1.0": release("py311")}},
    "pythonless": {"scope": ["inference"], "versions": {"1.0": release()}},
}


@dataclass(kw_only=True)
class SdkInTests:
    """Data as the SDK has it; an address is what it was asked."""

    asked: list[Wanted] = field(default_factory=list)

    def list_frameworks(self) -> tuple[str, ...]:
        return tuple(sorted(FRAMEWORKS))

    def read_framework(self, framework: str) -> Mapping[str, Any]:
        return FRAMEWORKS[framework]

    def make_address(self, wanted: Wanted) -> str:
        self.asked.append(wanted)
        return f"763104351884.dkr.ecr.{wanted.region}.amazonaws.com/{wanted.framework}:{wanted.version}-{wanted.python}"


@dataclass(frozen=True, kw_only=True)
class PlaceInTests:
    region: str = AMERICA


@dataclass(kw_only=True)
class LoginsInTests:
    hosts: list[str] = field(default_factory=list)

    def trust_host(self, host: str) -> None:
        self.hosts.append(host)


def find(
    base: str,
    python: str = "3.11",
    *,
    region: str = AMERICA,
    capacity: Instances | Serverless | None = None,
    logins: LoginsInTests | None = None,
) -> Wanted:
    """What the SDK is asked for."""
    sdk = SdkInTests()
    wanted = parse_learning_container(base)
    assert wanted is not None
    settings = SageMakerSettings(role=GIVEN_ROLE, capacity=capacity or Instances())
    containers = SdkLearningContainers(PlaceInTests(region=region), logins or LoginsInTests(), sdk)
    containers.find_reference(wanted, settings, python)
    (asked,) = sdk.asked
    return asked


def refusal(base: str, python: str = "3.11") -> NotFoundError:
    with pytest.raises(NotFoundError) as caught:
        find(base, python)
    assert caught.value.code == "base-not-found"
    return caught.value


def test_newest_release_with_the_models_python_is_taken_in_numbers_not_in_letters() -> None:
    assert (find("dlc:pytorch").version, find("dlc:pytorch", "3.12").version) == ("2.10.0", "2.6.0")
    assert find("dlc:pytorch").python == "py311"


def test_release_that_is_not_in_the_region_is_not_taken() -> None:
    asked = find("dlc:pytorch", region=EUROPE)
    assert (asked.version, asked.region) == ("2.6.0", EUROPE)


@pytest.mark.parametrize(("version", "taken"), [("2", "2.10.0"), ("2.5", "2.5.1"), ("2.6.0", "2.6.0"), ("2.1", None)])
def test_version_in_short_means_the_newest_that_it_begins(version: str, taken: str | None) -> None:
    if taken is None:
        assert "2.1" in refusal(f"dlc:pytorch@{version}").message
    else:
        assert find(f"dlc:pytorch@{version}").version == taken


def test_other_python_is_refused_and_told_what_there_is_newest_first() -> None:
    error = refusal("dlc:pytorch@2.6", "3.13")
    assert "`pytorch@2.6` with Python 3.13 for ml.m5.large in us-east-1" in error.message
    assert "2.10.0 (Python 3.11), 2.6.0 (Python 3.11), 2.6.0 (Python 3.12), 2.5.1 (Python 3.11)" in (error.hint or "")


def test_unknown_framework_is_refused_and_told_those_whose_images_can_be_bases() -> None:
    error = refusal("dlc:torch")
    assert "`torch`" in error.message
    assert "those of pytorch, split" in (error.hint or "")


@pytest.mark.parametrize("framework", ["trained", "pythonless"])
def test_images_for_training_or_of_an_untold_python_are_no_bases(framework: str) -> None:
    assert "none that tells its Python" in (refusal(f"dlc:{framework}").hint or "")


def test_version_whose_pythons_are_images_of_their_own_is_found() -> None:
    assert find("dlc:split").python == "py311"


def test_scope_and_instance_follow_from_the_capacity() -> None:
    graviton = find("dlc:pytorch", capacity=Instances(instance_type="ml.c8g.large"))
    assert (graviton.scope, graviton.version, graviton.instance_type) == ("inference_graviton", "2.5.1", "ml.c8g.large")
    assert find("dlc:pytorch", capacity=Instances(instance_type="ml.g5.xlarge")).instance_type == "ml.g5.xlarge"
    serverless = find("dlc:pytorch", capacity=Serverless(memory_mb=2048, max_concurrency=1))
    assert (serverless.scope, serverless.instance_type) == ("inference", "ml.m5.large")


def test_registry_of_the_container_is_signed_in_to_with_the_environments_credentials() -> None:
    logins = LoginsInTests()
    find("dlc:pytorch", logins=logins)
    assert logins.hosts == ["763104351884.dkr.ecr.us-east-1.amazonaws.com"]


def test_without_the_sdk_the_extra_is_told() -> None:
    # A process of its own in which the SDK cannot be imported, whatever is installed.
    script = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "sagemaker":
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
sys.meta_path.insert(0, Absent())
from dockyard.adapters.sagemaker.sdk_images import InstalledSdk
from dockyard.domain.errors import DockyardError
try:
    InstalledSdk().list_frameworks()
except DockyardError as error:
    print(error.code, error.exit_code, error.hint)
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        env={"PYTHONPATH": ":".join(path for path in sys.path if path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("dependency-missing 2 pip install 'dockyard[sagemaker-sdk]'"), done.stderr
