"""ModelRef: every form, and no text that is none of them slips through or breaks the parser."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockyard.domain.errors import UsageError
from dockyard.domain.reference import ModelRef, RefKind, parse_model_ref

LOGGED = "m-" + "0a" * 16


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("my_first_model", {"kind": RefKind.NAME, "name": "my_first_model"}),
        ("Modell für Wein", {"kind": RefKind.NAME, "name": "Modell für Wein"}),
        ("wine.v2", {"kind": RefKind.NAME, "name": "wine.v2"}),
        ("./wine", {"kind": RefKind.FOLDER, "path": "./wine"}),
        (".", {"kind": RefKind.FOLDER, "path": "."}),
        ("..", {"kind": RefKind.FOLDER, "path": ".."}),
        ("~/wine", {"kind": RefKind.FOLDER, "path": "~/wine"}),
        ("models/wine", {"kind": RefKind.FOLDER, "path": "models/wine"}),
        ("/srv/wine", {"kind": RefKind.FOLDER, "path": "/srv/wine"}),
        ("file:///srv/my%20wine", {"kind": RefKind.FOLDER, "path": "/srv/my wine"}),
        ("file://localhost/srv/wine", {"kind": RefKind.FOLDER, "path": "/srv/wine"}),
        ("runs:/abc123/model", {"kind": RefKind.RUN, "run_id": "abc123", "path": "model"}),
        ("runs:/abc123/a/b/", {"kind": RefKind.RUN, "run_id": "abc123", "path": "a/b"}),
        ("models:/wine", {"kind": RefKind.VERSION, "name": "wine", "version": "latest"}),
        ("models:/wine/3", {"kind": RefKind.VERSION, "name": "wine", "version": "3"}),
        ("models:/wine/007", {"kind": RefKind.VERSION, "name": "wine", "version": "7"}),
        ("models:/wine/Latest", {"kind": RefKind.VERSION, "name": "wine", "version": "latest"}),
        ("models:/wine/production", {"kind": RefKind.STAGE, "name": "wine", "version": "Production"}),
        ("models:/wine@champion", {"kind": RefKind.ALIAS, "name": "wine", "alias": "champion"}),
        (f"models:/{LOGGED}", {"kind": RefKind.LOGGED_MODEL, "path": LOGGED}),
        (f"models:/{LOGGED}/sub/", {"kind": RefKind.LOGGED_MODEL, "path": f"{LOGGED}/sub"}),
        ("s3://bucket/wine/", {"kind": RefKind.LOCATION, "path": "s3://bucket/wine"}),
        ("gs://bucket/wine", {"kind": RefKind.LOCATION, "path": "gs://bucket/wine"}),
    ],
)
def test_each_form_is_told_apart(text: str, fields: dict[str, object]) -> None:
    ref = parse_model_ref(text)
    assert ref.text == str(ref) == text
    assert {name: getattr(ref, name) for name in fields} == fields


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        " wine",
        "wine\n",
        "a\x00b",
        "wine:3",
        "wine@champion",
        "back\\slash",
        "models:/",
        "models:/wine/",
        "models:/wine/3/4",
        "models:/wine/-1",
        "models:/wine/Live",
        "models:/wine/²",
        "models:/wine@",
        "models:/wine@a b",
        "models:/wine/3@x",
        "runs:/abc",
        "runs:/abc/",
        "runs:/a b/model",
        "s3://",
        "s3://bucket",
        "s3://bucket/",
        "s3://user:secret@bucket/wine",
        "file://elsewhere/wine",
        "file://",
        "s3://[broken/wine",
        "x" * 2049,
    ],
)
def test_what_is_no_form_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_model_ref(text)
    assert caught.value.code == "model-ref-invalid"
    assert caught.value.exit_code == 2
    assert caught.value.hint is not None
    assert len(caught.value.message) < 800


@given(st.one_of(st.text(max_size=200), st.text("models:runsfile/@m-0123456789abcdef.s3 \n", max_size=60)))
def test_any_text_is_a_reference_or_a_usage_error(text: str) -> None:
    try:
        ref = parse_model_ref(text)
    except UsageError as error:
        assert error.code == "model-ref-invalid"
        assert error.message.isprintable()
    else:
        assert isinstance(ref, ModelRef)
        assert parse_model_ref(ref.text) == ref
        assert ref.name is not None or ref.path is not None
