"""Claims about what people see: the result on stdout, all else on stderr."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dockyard.domain.plan import OutcomeStatus, WriteRecord
from dockyard.domain.record import RecordStatus
from dockyard.domain.result import (
    DriftResult,
    GcResult,
    HistoryResult,
    PromoteResult,
    ResultStatus,
    StatusResult,
    SyncResult,
)
from support import results
from support.fake_kit import CommandLine
from support.results import DIGEST, SECRET, URL

PLAN_TEXT = """\
local/wine: revision 2 -> 3

  ~ revision       2 -> 3
  ~ model          wine v3 -> wine v4
  + env API_TOKEN  *** (1a2b)
  - env OLD        *** (3c4d)

  1. build the image with the direct builder (every requirement has a wheel)
  2. start revision 3 of wine v4 (process runtime)
  3. wait until revision 3 is ready, at most 120 s
  4. smoke-test revision 3 with the model's input example, 20 requests
  5. send the traffic of port 1234 to revision 3 from revision 2
  6. write the record `dockyard.local.wine`: serving

plan: 4 changes, 6 steps
"""


@pytest.mark.parametrize(
    ("arguments", "out"),
    [
        (["deploy", "local", "-m", "wine"], f"{URL}\n"),
        (["deploy", "local", "-m", "wine", "--plan"], PLAN_TEXT),
        (["rollback", "wine"], f"{URL}\n"),
        (["rollback", "wine", "--plan"], PLAN_TEXT),
        (["build", "-m", "wine"], f"{DIGEST}\n"),
        (["predict", "wine"], '{"predictions": [5.5, "é"]}\n'),
        (["promote", "wine"], "models:/wine@local\n"),
        (["delete", "wine"], "local/wine\n"),
        (["logs", "wine"], "one\ntwo\n"),
        (["--version"], "dockyard 0.1.0\n"),
    ],
    ids=" ".join,
)
def test_stdout_carries_the_result_and_nothing_else(dockyard: CommandLine, arguments: list[str], out: str) -> None:
    ended = dockyard(*arguments)
    assert (ended.code, ended.out) == (0, out)


def test_deploy_tells_on_stderr_what_it_did(dockyard: CommandLine) -> None:
    assert dockyard("deploy", "local", "-m", "wine").err == (
        "note: the model has no signature\ndeployed revision 3 of local/wine, wine v4, in place of revision 2, in 1.2 s\n"
    )


def test_verbose_deploy_lists_how_each_step_went(dockyard: CommandLine) -> None:
    err = dockyard.returning(deployed=results.PARTIAL)("deploy", "local", "-m", "wine", "-v").err
    assert "  done        1.25 s  smoke-test revision 3\n" in err
    assert "  failed      0.50 s  write the record: the registry does not answer\n" in err


def test_verbose_deploy_says_why_a_step_was_skipped(dockyard: CommandLine) -> None:
    skipped = replace(results.OUTCOMES[0], status=OutcomeStatus.SKIPPED, seconds=0.0, facts=(("reason", "no example"),))
    deployed = replace(results.DEPLOYED, outcomes=(skipped,))
    err = dockyard.returning(deployed=deployed)("deploy", "local", "-m", "wine", "-v").err
    assert "  skipped     0.00 s  smoke-test revision 3: no example\n" in err


def test_an_unchanged_deployment_is_called_so_and_its_endpoint_told(dockyard: CommandLine) -> None:
    ended = dockyard.returning(deployed=results.UNCHANGED)("deploy", "local", "-m", "wine")
    assert (ended.code, ended.out) == (0, f"{URL}\n")
    assert ended.err == "unchanged: revision 3 of local/wine, wine v4, serves already\n"


def test_a_deploy_that_is_not_waited_for_says_that_it_does_not_serve_yet(dockyard: CommandLine) -> None:
    started = replace(results.DEPLOYED, status=ResultStatus.STARTED, notes=())
    ended = dockyard.returning(deployed=started)("deploy", "sagemaker", "-m", "wine", "--no-wait", "--yes")
    assert (ended.code, ended.out) == (0, f"{URL}\n")
    assert ended.err == (
        "started revision 3 of local/wine, wine v4; it does not serve yet, "
        "the same command without `--no-wait` goes on and proves it\n"
    )
    again = replace(results.UNCHANGED, previous=2)
    ended = dockyard.returning(deployed=again)("deploy", "sagemaker", "-m", "wine", "--no-wait", "--yes")
    assert ended.err == "unchanged: revision 3 of local/wine, wine v4, is on its way already\n"


def test_a_plan_says_that_nothing_was_changed(dockyard: CommandLine) -> None:
    assert dockyard("deploy", "local", "-m", "wine", "--plan").err == "nothing was changed\n"


def test_rollback_and_delete_tell_what_they_did(dockyard: CommandLine) -> None:
    assert dockyard("rollback", "wine").err == "rolled back to revision 2 of local/wine, wine v4, in place of revision 3\n"
    assert dockyard("delete", "wine").err == "deleted local/wine\n"
    assert "local/wine: revision 3 goes away" in dockyard("delete", "wine", "--plan").out


def test_promote_tells_where_the_alias_pointed_before(dockyard: CommandLine) -> None:
    assert dockyard("promote", "wine").err == "wine@local points to version 4, before to version 3\n"
    same = PromoteResult(
        status=ResultStatus.UNCHANGED, key=results.KEY, model=results.MODEL, alias="local", version="4", previous_version="4"
    )
    assert dockyard.returning(promoted=same)("promote", "wine").err == "unchanged: wine@local points to version 4\n"


def test_build_tells_size_builder_and_a_missing_proof(dockyard: CommandLine) -> None:
    assert dockyard("build", "-m", "wine").err == (
        "note: the model has no input example, so the image is not proved to answer\n"
        "built, 123.5 MB, direct builder (every requirement has a wheel)\n"
    )


def test_render_prints_the_folder_and_tells_the_files(dockyard: CommandLine) -> None:
    ended = dockyard("render", "k8s", "-m", "wine", "-o", "out", "--namespace", "models")
    assert ended.out == "/srv/wine\n"
    lines = ended.err.splitlines()
    assert lines[:3] == ["wrote deployment.yaml", "wrote dockyard.lock", "removed networkpolicy.yaml"]
    assert lines[3].startswith("rendered: revision 3 of local/wine, wine v4, sha256:")


def test_status_is_a_table_with_a_line_for_each_deployment(dockyard: CommandLine) -> None:
    ended = dockyard("status")
    assert ended.err == ""
    assert ended.out.splitlines() == [
        "DEPLOYMENT  STATE    REVISION  MODEL    RUNS ON  ENDPOINT               SINCE                 RECORDED",
        "local/wine  serving  3         wine v4  process  http://127.0.0.1:1234  2026-11-22 06:31:05Z  yes",
        "prod/other  empty    -         -        -        -                      -                     -",
    ]


def test_history_is_a_table_with_the_newest_first(dockyard: CommandLine) -> None:
    assert dockyard("history", "wine").out.splitlines() == [
        "STARTED               WHAT    STATUS  REVISION  MODEL    BY        ERROR",
        "2026-11-22 06:31:05Z  deploy  failed  3         wine v4  ann@host  revision-not-ready",
    ]


def test_where_there_is_nothing_stdout_is_empty_and_stderr_says_so(dockyard: CommandLine) -> None:
    nothing = dockyard.returning(
        listed=StatusResult(rows=()),
        told=HistoryResult(key=results.KEY, attempts=()),
        drifted=DriftResult(deployments=()),
        collected=GcResult(status=ResultStatus.UNCHANGED, items=()),
        synced=SyncResult(sent=(), pending=()),
    )
    said = {verb: nothing(verb, *rest) for verb, *rest in (["status"], ["history", "wine"], ["drift"], ["gc"], ["sync"])}
    assert {ended.out for ended in said.values()} == {""}
    assert {ended.code for ended in said.values()} == {0}
    assert {verb: ended.err for verb, ended in said.items()} == {
        "status": "there is no deployment\n",
        "history": "local/wine has no history\n",
        "drift": "no drift in 0 deployments\n",
        "gc": "nothing to remove\n",
        "sync": "nothing to send\n",
    }


def test_drift_shows_findings_and_the_plan_of_what_has_drifted_only(dockyard: CommandLine) -> None:
    ended = dockyard("drift")
    assert ended.code == 4
    assert ended.out.startswith(
        "local/wine has drifted\n"
        "  error    revision-down: revision 3 is not running\n"
        "           remedy: deploy it again\n"
        "  local/wine: revision 2 -> 3\n"
    )
    assert "prod/other" not in ended.out
    assert ended.err == "1 of 2 deployments drifted\n"


def test_doctor_shows_findings_with_remedies_and_counts_them(dockyard: CommandLine) -> None:
    ended = dockyard("doctor")
    assert ended.code == 0
    assert ended.out == (
        "ok       configuration: there is no dockyard.yaml; the defaults count\n"
        "warning  docker: no Docker engine answers\n"
        "         remedy: start one\n"
        "ok       uv: uv is there\n"
    )
    assert ended.err == "0 errors, 1 warning\n"


def test_doctor_finds_a_wrong_configuration_and_examines_the_rest(dockyard: CommandLine) -> None:
    (dockyard.folder / "dockyard.yaml").write_text("imge: {}\n")
    ended = dockyard("doctor")
    assert ended.code == 1
    assert ended.out.startswith(
        "error    configuration: dockyard.yaml:1: `imge` is not a known key\n"
        "         remedy: did you mean `image`?\n"
        "warning  docker"
    )


def test_gc_and_sync_list_what_they_did(dockyard: CommandLine) -> None:
    assert dockyard("gc").out.splitlines()[1:] == ["image   sha256:abab           2.5 MB", "orphan  container dockyard-x  -"]
    assert dockyard("gc").err == "removed 2 things, freed 2.5 MB\n"
    assert dockyard("sync").out.splitlines()[1:] == ["local/wine  sent    a1       run1"]


def test_what_failed_after_the_main_thing_is_a_warning(dockyard: CommandLine) -> None:
    ended = dockyard.returning(deployed=results.PARTIAL)("deploy", "local", "-m", "wine")
    assert (ended.code, ended.out) == (3, f"{URL}\n")
    assert ended.err.startswith("warning[record-pending]: the record of local/wine waits\n\nhint: `dockyard sync` sends it\n")


@pytest.mark.parametrize(
    "arguments", [["deploy", "local", "-m", "wine"], ["deploy", "local", "-m", "wine", "--plan"], ["drift"]]
)
@pytest.mark.parametrize("form", [[], ["--json"], ["-v"]])
def test_values_of_a_models_variables_are_never_shown(dockyard: CommandLine, arguments: list[str], form: list[str]) -> None:
    ended = dockyard(*arguments, *form)
    assert SECRET not in ended.out + ended.err


def test_config_show_says_where_each_value_came_from(dockyard: CommandLine) -> None:
    (dockyard.folder / "dockyard.yaml").write_text("environments: {local: {port: 80, env: {API_TOKEN: {env: X}}}}\n")
    ended = dockyard("config", "show")
    lines = {line.split()[0]: line.split()[1:] for line in ended.out.splitlines()}
    assert lines["environments.local.port"] == ["80", "dockyard.yaml:1"]
    assert lines["environments.local.env.API_TOKEN"] == ["***", "dockyard.yaml:1"]
    assert lines["environments.local.grace_seconds"] == ["25", "default"]
    assert lines["state_home"] == [f"{dockyard.folder.parent}/home/.local/state/dockyard", "default"]
    assert ended.err == f"configuration file: {dockyard.folder}/dockyard.yaml\n"


def test_config_validate_tells_all_problems(dockyard: CommandLine) -> None:
    assert dockyard("config", "validate").out == "local\nsagemaker\nk8s\n"
    (dockyard.folder / "dockyard.yaml").write_text("imge: {}\nimage: {bulder: x}\n")
    ended = dockyard("config", "validate")
    assert ended.code == 2
    assert ended.err == (
        "error[config-invalid]: the configuration (dockyard.yaml) has 2 problems\n"
        "  dockyard.yaml:1: `imge` is not a known key; did you mean `image`?\n"
        "  dockyard.yaml:2: `image.bulder` is not a known key; did you mean `builder`?\n"
        "\n"
        "hint: did you mean `image`?\n"
    )


def test_a_deploy_into_the_shadow_says_whose_it_is(dockyard: CommandLine) -> None:
    step = WriteRecord(key=results.KEY, status=RecordStatus.SHADOW, number=3)
    plan = replace(results.PLAN, steps=(step,), revision=3, previous=2, notes=("revision 3 gets copies",))
    shadowed = replace(results.DEPLOYED, plan=plan, revision=3, previous=2, outcomes=())
    ended = dockyard.returning(deployed=shadowed)("deploy", "sagemaker", "-m", "wine", "--yes")
    assert ended.err.endswith("revision 3 of local/wine, wine v4, is in the shadow of revision 2\n")
    again = replace(shadowed, status=ResultStatus.UNCHANGED, plan=replace(plan, steps=()))
    ended = dockyard.returning(deployed=again)("deploy", "sagemaker", "-m", "wine", "--yes")
    assert "stands beside revision 2, or in its shadow, or is on its way there, already" in ended.err
    ended = dockyard.returning(deployed=replace(shadowed, status=ResultStatus.DONE))("deploy", "k8s", "-m", "wine")
    assert ended.err.endswith("tried revision 3 of local/wine, wine v4, in the shadow of revision 2, and took it away\n")
    ended = dockyard.returning(deployed=replace(shadowed, status=ResultStatus.STARTED))("deploy", "k8s", "-m", "wine")
    assert ended.err.endswith("started revision 3 of local/wine, wine v4, beside revision 2\n")


def test_a_batch_job_says_what_became_of_it(dockyard: CommandLine) -> None:
    places = ("batch", "sagemaker", "-m", "wine", "--input", "s3://bucket/in", "--output", "s3://bucket/answers", "--yes")
    ended = dockyard(*places)
    assert (ended.out, ended.code) == ("s3://bucket/answers\n", 0)
    assert "completed transform job wine-0123456789abcdef-1" in ended.err
    started = replace(results.TRANSFORMED, status=ResultStatus.STARTED)
    assert "started transform job" in dockyard.returning(transformed=started)(*places, "--no-wait").err
