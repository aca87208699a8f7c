"""Names: what users may choose, and the legal, deterministic, collision-proof names that targets get for them."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dockyard.domain.errors import UsageError
from dockyard.domain.names import (
    KUBERNETES_LABEL,
    NAME_RULES,
    SAGEMAKER_ENDPOINT,
    NameRule,
    check_name,
    derive_deployment_name,
    derive_name,
)

rules = st.sampled_from(NAME_RULES)
names = st.one_of(st.text(max_size=300), st.from_regex(r"[A-Za-z0-9_.-]{1,80}", fullmatch=True))


@pytest.mark.parametrize("name", ["a", "7", "my_first_model", "My-Model", "a" * 63])
def test_names_of_letters_digits_underscores_and_dashes_are_taken(name: str) -> None:
    assert check_name("deployment", name) == name


@pytest.mark.parametrize("name", ["", "-a", "a-", "_a", "a.b", "a b", "a/b", "ü", "a" * 64, "a\n", "a\x00" * 60])
def test_other_names_are_refused_with_the_rule(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_name("environment", name)
    assert caught.value.code == "name-invalid"
    assert "environment" in caught.value.message
    assert caught.value.message.isprintable()


@given(rules, names)
def test_derived_names_are_legal_and_deterministic(rule: NameRule, name: str) -> None:
    derived = derive_name(rule, name)
    assert rule.pattern.fullmatch(derived)
    assert 0 < len(derived) <= rule.max_length
    assert derived == derive_name(rule, name)


@given(rules, names, names)
def test_two_names_never_meet_in_one(rule: NameRule, one: str, other: str) -> None:
    assume(one != other)
    assert derive_name(rule, one) != derive_name(rule, other)


@given(names)
def test_a_deployment_name_made_of_any_model_name_is_legal(name: str) -> None:
    derived = derive_deployment_name(name)
    assert check_name("deployment", derived) == derived
    assert derive_deployment_name(derived) == derived


def test_legal_names_are_kept() -> None:
    assert derive_name(KUBERNETES_LABEL, "wine") == "wine"
    assert derive_name(SAGEMAKER_ENDPOINT, "wine-2") == "wine-2"


@given(rules, names)
def test_nobody_can_choose_the_name_that_another_was_given(rule: NameRule, name: str) -> None:
    derived = derive_name(rule, name)
    assume(derived != name)
    assert derive_name(rule, derived) != derived


def test_underscores_become_dashes_and_the_original_stays_in_the_hash() -> None:
    assert derive_name(SAGEMAKER_ENDPOINT, "my_first_model").startswith("my-first-model-")
    assert derive_name(KUBERNETES_LABEL, "7up").startswith("up-")
    assert derive_name(KUBERNETES_LABEL, "Wine") != derive_name(KUBERNETES_LABEL, "wine")
