"""What SageMaker adds to the verbs: what it decides before anything is planned, and how its endpoints are asked and read."""

from __future__ import annotations

from itertools import islice

import pytest

from dockyard.apply.sagemaker import SageMakerHandlers
from dockyard.domain.errors import ConflictError, DockyardError, NotFoundError, UsageError
from dockyard.domain.image import DEFAULT_BASE, HOST_BASE, ImageSettings, MediaFormat
from dockyard.domain.plan import ShiftTraffic, StopRevision
from dockyard.domain.request import DeployRequest
from dockyard.domain.result import ResultStatus
from dockyard.domain.sagemaker import SageMakerPolicy
from dockyard.domain.sagemaker_steps import CreateRole
from dockyard.testing.endpoints import Course
from dockyard.testing.images import EXAMPLE
from dockyard.testing.surroundings import ManualClock
from dockyard.usecases.execute import Execution, make_recorder
from dockyard.usecases.follow import follow_lines
from dockyard.usecases.predict import predict
from dockyard.usecases.site import Keep
from dockyard.usecases.status import read_logs
from support import memory_bench
from support.sagemaker_bench import NO_WAIT, SageMakerBench, list_calls, run, want
from support.sagemaker_values import ENDPOINT, GIVEN_ROLE, KEY, OWN_ROLE, make_spec


@pytest.fixture
def bench() -> SageMakerBench:
    return SageMakerBench()


def test_settings_that_the_service_does_not_take_are_refused_before_anything_is_looked_up(bench: SageMakerBench) -> None:
    bench.preflight.invalid = UsageError("setting-invalid", "`instance` has no ml.bogus")
    bench.registry.is_reachable = False
    with pytest.raises(UsageError, match=r"ml\.bogus"):
        run(bench)
    assert bench.faults.calls == []


def test_role_is_the_given_one_or_the_deployments_own(bench: SageMakerBench) -> None:
    assert bench.site.prepare(want(role=GIVEN_ROLE)).settings.role == GIVEN_ROLE
    assert bench.site.prepare(want()).settings.role == OWN_ROLE
    with pytest.raises(UsageError, match="no execution role") as caught:
        bench.site.prepare(want(policy=SageMakerPolicy(create_role=False)))
    assert (caught.value.code, caught.value.exit_code) == ("setting-invalid", 2)
    assert "create_role" in (caught.value.hint or "")


def test_given_role_is_not_made(bench: SageMakerBench) -> None:
    run(bench, role=GIVEN_ROLE)
    assert "create_role" not in list_calls(bench)
    assert bench.account.roles == {}


def test_image_has_a_base_dockers_media_types_and_the_processor_of_the_instances(bench: SageMakerBench) -> None:
    bench.preflight.platform = "linux/arm64"
    image = bench.site.choose_image(want(), "3.11")
    assert (image.base, image.format, image.platform) == (DEFAULT_BASE, MediaFormat.DOCKER, "linux/arm64")
    chosen = bench.site.choose_image(want(image=ImageSettings(base="debian:12", platform="linux/s390x")), "3.11")
    assert (chosen.base, chosen.platform) == ("debian:12", "linux/s390x")


def test_deep_learning_container_is_looked_up_for_the_models_python(bench: SageMakerBench) -> None:
    bench.containers.references[("pytorch", "2.5.1", "3.11")] = "763104351884.dkr.ecr.example/pytorch-inference:2.5.1"
    bench.containers.references[("pytorch", "2.6.0", "3.12")] = "763104351884.dkr.ecr.example/pytorch-inference:2.6.0"
    wanted = want(image=ImageSettings(base="dlc:pytorch"))
    assert (bench.site.choose_image(wanted, "3.11").base or "").endswith(":2.5.1")
    assert (bench.site.choose_image(wanted, "3.12").base or "").endswith(":2.6.0")
    with pytest.raises(NotFoundError) as caught:
        bench.site.choose_image(want(image=ImageSettings(base="dlc:pytorch@2.6")), "3.11")
    assert caught.value.code == "base-not-found"
    assert "2.6.0 (Python 3.12)" in (caught.value.hint or "")


def test_container_that_was_looked_up_is_the_base_as_if_it_had_been_named(bench: SageMakerBench) -> None:
    python = bench.registry.resolve_model(want().ref).version.python
    reference = "763104351884.dkr.ecr.example/pytorch-inference:2.6.0"
    bench.containers.references[("pytorch", "2.6.0", python)] = reference
    assert run(bench, image=ImageSettings(base="dlc:pytorch@2.6")).status is ResultStatus.DEPLOYED
    assert run(bench, image=ImageSettings(base=reference)).status is ResultStatus.UNCHANGED


def test_base_that_names_no_container_is_refused_before_anything_is_looked_up(bench: SageMakerBench) -> None:
    bench.registry.is_reachable = False
    with pytest.raises(UsageError, match="names no AWS Deep Learning Container"):
        run(bench, image=ImageSettings(base="dlc:PyTorch==2"))
    assert bench.faults.calls == []


def test_image_without_a_base_is_refused(bench: SageMakerBench) -> None:
    with pytest.raises(UsageError, match="this machine only"):
        run(bench, image=ImageSettings(base=HOST_BASE))
    assert bench.faults.calls == []


def test_request_for_another_target_is_a_defect(bench: SageMakerBench) -> None:
    other: DeployRequest = memory_bench.want(1)
    with pytest.raises(TypeError, match="no request for SageMaker"):
        bench.site.prepare(other)


def test_step_of_another_target_is_a_defect(bench: SageMakerBench) -> None:
    handlers = make_handlers(bench)
    step = ShiftTraffic(number=1, previous=None, port=1)
    with pytest.raises(TypeError, match="no step of SageMaker"):
        handlers.perform(step, ())
    handlers.undo(step)
    assert bench.faults.calls == []


def test_undoing_a_role_deletes_that_role_only(bench: SageMakerBench) -> None:
    handlers = make_handlers(bench)
    step = CreateRole(name="dockyard-wine", spec=make_spec(1))
    handlers.perform(step, ())
    bench.account.create_repository(KEY, "dockyard/wine")
    handlers.undo(step)
    assert bench.list_things() == ["repository dockyard/wine"]


def make_handlers(bench: SageMakerBench) -> SageMakerHandlers:
    run(bench)
    planned = bench.site.plan_delete(bench.open(), KEY)
    attempt = bench.attempts[-1]
    made = SageMakerBench()
    recorder = make_recorder(made.open(), Execution(attempt=attempt, planned=planned))
    handlers = made.site.make_handlers(made.open(), KEY, recorder, None)
    bench.account, bench.images, bench.faults = made.account, made.images, made.faults
    return handlers


def test_request_reaches_what_serves(bench: SageMakerBench) -> None:
    run(bench, 1)
    answer = predict(bench.open(), KEY, b"{}", "application/json")
    assert answer.endpoint == ENDPOINT
    assert answer.value == {"predictions": [bench.account.models[bench.endpoint.config].spec.fingerprint]}


def test_request_to_what_does_not_serve_yet_is_refused(bench: SageMakerBench) -> None:
    bench.account.usual = Course(looks=100)
    run(bench, policy=NO_WAIT)
    with pytest.raises(NotFoundError) as caught:
        predict(bench.open(), KEY, b"{}", "application/json")
    assert caught.value.code == "nothing-serving"
    with pytest.raises(NotFoundError):
        bench.site.invoke(KEY, EXAMPLE)


def test_failing_answers_are_told(bench: SageMakerBench) -> None:
    run(bench)
    bench.scorer.failure = DockyardError("smoke-test-failed", "ModelError 500")
    with pytest.raises(DockyardError, match="ModelError"):
        predict(bench.open(), KEY, b"{}", "application/json")


def test_logs_are_those_of_the_endpoint(bench: SageMakerBench) -> None:
    run(bench)
    bench.account.logs[ENDPOINT] = [(bench.clock.now(), line) for line in ("one", "two", "three")]
    assert list(read_logs(bench.open(), KEY, None, follow=False, tail=2)) == ["two", "three"]
    assert list(islice(read_logs(bench.open(), KEY, 1, follow=True, tail=1), 1)) == ["three"]
    with pytest.raises(NotFoundError) as caught:
        read_logs(bench.open(), KEY, 7, follow=False, tail=1)
    assert caught.value.code == "no-revision"


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ([], ["a"], ["a"]),
        (["a", "b"], ["a", "b", "c"], ["c"]),
        (["a", "b"], ["b", "c", "d"], ["c", "d"]),
        (["a", "b"], ["x", "y"], ["x", "y"]),
        (["a", "a"], ["a", "a", "a"], []),
        (["a", "b"], ["a", "b"], []),
    ],
)
def test_following_tells_every_new_line_once(before: list[str], after: list[str], told: list[str]) -> None:
    looks = iter([before, after])
    clock = ManualClock()
    following = follow_lines(lambda _: next(looks, [*after, "end"]), 10, clock)
    lines = list(islice(following, len(before) + len(told) + 1))
    assert lines == [*before, *told, "end"]
    assert clock.elapsed == 4.0


def test_revision_that_is_not_there_cannot_be_planned(bench: SageMakerBench) -> None:
    run(bench)
    with pytest.raises(NotFoundError) as caught:
        bench.site.plan_revision(bench.open(), KEY, 7, Keep())
    assert caught.value.code == "no-revision"


def test_only_a_plan_that_has_gone_stale_is_made_again(bench: SageMakerBench) -> None:
    assert bench.site.shall_plan_again(want(), ConflictError("plan-stale", "changed"))
    assert not bench.site.shall_plan_again(want(), ConflictError("endpoint-busy", "busy"))
    assert not bench.site.shall_plan_again(want(), DockyardError("aws-refused", "no"))


def test_revision_of_an_endpoint_cannot_be_stopped_by_itself(bench: SageMakerBench) -> None:
    run(bench)
    before = list(bench.faults.calls)
    bench.site.clean_up(KEY, StopRevision(number=1))
    assert bench.faults.calls == before
