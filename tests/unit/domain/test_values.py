"""Small values of the domain: digests, specs, secrets, errors, findings in a plan's words."""

from __future__ import annotations

import dataclasses
import hashlib

import pytest

from dockyard.domain import errors
from dockyard.domain.attempt import Failure
from dockyard.domain.deployment import DeploymentKey, RevisionStatus
from dockyard.domain.errors import CATALOGUE, DockyardError, UsageError
from dockyard.domain.model import ModelDigest, ModelIdentity, digest_files
from dockyard.domain.observed import ObservedLocal
from dockyard.domain.plan import ShiftTraffic, StartRevision
from dockyard.domain.secret import Secret
from support.local_values import KEY, make_model, make_revision, make_spec


def test_model_digest_is_that_of_sha256sum_over_sorted_paths() -> None:
    files = {"b.txt": "22", "a/c.txt": "11"}
    expected = hashlib.sha256(b"11  a/c.txt\n22  b.txt\n").hexdigest()
    assert digest_files(files) == digest_files(dict(reversed(files.items()))) == f"sha256:{expected}"


def test_model_is_called_by_name_and_version_or_by_where_it_is() -> None:
    digest = ModelDigest("sha256:1")
    assert make_model(3).title == "wine v3"
    assert ModelIdentity(digest=digest, source="s3://bucket/x").title == "s3://bucket/x"
    assert ModelIdentity(digest=digest, source="x", name="wine").title == "wine"


def test_spec_is_the_same_revision_wherever_its_files_came_from() -> None:
    spec = make_spec(1)
    moved = dataclasses.replace(spec, model=dataclasses.replace(spec.model, source="elsewhere", registry="other"))
    assert moved.spec_hash == spec.spec_hash
    assert make_spec(2).spec_hash != spec.spec_hash
    assert make_spec(1, grace_seconds=1).spec_hash != spec.spec_hash
    assert make_spec(1, grace_seconds=1).settings_hash != spec.settings_hash


def test_key_names_deployment_and_tag() -> None:
    assert str(KEY) == "prod/wine"
    assert DeploymentKey(environment="a", name="b").tag == "dockyard.a.b"


@pytest.mark.parametrize("status", list(RevisionStatus))
def test_everything_but_stopped_runs(status: RevisionStatus) -> None:
    assert make_revision(1, 1, status.value).is_running == (status is not RevisionStatus.STOPPED)


def test_deployment_of_which_there_is_nothing_does_not_exist() -> None:
    assert not ObservedLocal(key=KEY).exists
    assert ObservedLocal(key=KEY, port=1).exists
    assert ObservedLocal(key=KEY, revisions=(make_revision(1, 1),)).exists
    assert ObservedLocal(key=KEY, revisions=(make_revision(1, 1),), serving=2).serving_revision is None


def test_secret_shows_itself_to_nobody_but_who_asks() -> None:
    secret = Secret("s3cr3t")  # not a secret: a canary
    assert "s3cr3t" not in f"{secret} {secret!r} {[secret]}"
    assert secret.reveal() == "s3cr3t"
    assert secret == Secret("s3cr3t")
    assert secret != Secret("other")
    assert secret != "s3cr3t"
    assert len({secret, Secret("s3cr3t")}) == 1


def test_every_family_has_its_exit_code() -> None:
    families = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, DockyardError)]
    codes = {one.__name__: one.exit_code for one in families}
    assert codes["DockyardError"] == 1
    assert codes["UsageError"] == 2
    assert codes["PartialError"] == 3
    assert codes["CancelledError"] == 130
    assert set(codes.values()) == {1, 2, 3, 130}


def test_codes_are_kebab_case_sorted_and_explained() -> None:
    assert list(CATALOGUE) == sorted(CATALOGUE)
    for code, sentence in CATALOGUE.items():
        assert code == code.lower().replace("_", "-")
        assert sentence.endswith(".")


def test_code_outside_the_catalogue_is_a_defect() -> None:
    with pytest.raises(ValueError, match="not in the catalogue"):
        DockyardError("no-such-code", "x")


def test_failure_keeps_all_that_an_error_says() -> None:
    error = UsageError("usage", "message", hint="hint", details=("one", "two"))
    assert Failure.of(error) == Failure(code="usage", message="message", hint="hint", details=("one", "two"))
    assert str(error) == "message"


def test_steps_describe_themselves_as_a_person_would() -> None:
    assert StartRevision(number=1, spec=make_spec(1), is_new=False).describe().startswith("start revision 1 of wine v1 again")
    assert ShiftTraffic(number=2, previous=None, port=1).describe() == "send the traffic of port 1 to revision 2"
