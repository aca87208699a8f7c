"""The user's own settings decide where packages come from; nobody has to tell Dockyard."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockyard_image import IndexSettings, read_index_settings


def read(home: Path, **environ: str) -> IndexSettings:
    return read_index_settings(environ, home)


def test_pip_variables_are_handed_to_uv(tmp_path: Path) -> None:
    links = tmp_path / "links"
    links.mkdir()
    found = read(
        tmp_path,
        PIP_INDEX_URL="https://a.example/simple",
        PIP_EXTRA_INDEX_URL="https://b.example/simple https://c.example/simple",
        PIP_FIND_LINKS=f"{links} {tmp_path}/absent https://d.example/links",
        PIP_CERT="/etc/own.pem",
        PIP_TRUSTED_HOST="a.example",
    ).environment
    assert found["UV_DEFAULT_INDEX"] == "https://a.example/simple"
    assert found["UV_INDEX"] == "https://b.example/simple https://c.example/simple"
    assert found["UV_FIND_LINKS"] == f"{links},https://d.example/links"
    assert found["SSL_CERT_FILE"] == "/etc/own.pem"
    assert found["UV_INSECURE_HOST"] == "a.example"


@pytest.mark.parametrize("variable", ["UV_DEFAULT_INDEX", "UV_INDEX_URL"])
def test_setting_made_for_uv_wins_over_pips(tmp_path: Path, variable: str) -> None:
    found = read(tmp_path, **{variable: "https://uv.example", "PIP_INDEX_URL": "https://pip.example"}).environment
    assert found[variable] == "https://uv.example"
    assert "https://pip.example" not in [value for key, value in found.items() if key.startswith("UV_")]


@pytest.mark.parametrize("place", [".pip/pip.conf", ".config/pip/pip.conf", "venv/pip.conf", "named.conf"])
def test_pips_files_are_read_where_pip_reads_them(tmp_path: Path, place: str) -> None:
    file = tmp_path / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("[global]\nindex-url = https://global.example\n[install]\nindex_url = https://install.example\n")
    found = read(tmp_path, VIRTUAL_ENV=str(tmp_path / "venv"), PIP_CONFIG_FILE=str(tmp_path / "named.conf"))
    assert found.environment["UV_DEFAULT_INDEX"] == "https://install.example"


def test_environment_wins_over_pips_files(tmp_path: Path) -> None:
    (tmp_path / ".pip").mkdir()
    (tmp_path / ".pip/pip.conf").write_text("[global]\nindex-url = https://file.example\n")
    assert read(tmp_path, PIP_INDEX_URL="https://env.example").environment["UV_DEFAULT_INDEX"] == "https://env.example"


def test_pips_files_are_left_alone_by_users_who_configured_uv(tmp_path: Path) -> None:
    for name, text in ((".pip/pip.conf", "[global]\nindex-url = https://pip.example\n"), (".config/uv/uv.toml", "")):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    assert "UV_DEFAULT_INDEX" not in read(tmp_path).environment


def test_broken_pip_file_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / ".pip").mkdir()
    (tmp_path / ".pip/pip.conf").write_bytes(b"\xff no section")
    assert read(tmp_path).flags == ()


@pytest.mark.parametrize(
    ("value", "flags"), [("1", ("--no-index",)), ("true", ("--no-index",)), ("0", ()), ("off", ()), ("", ())]
)
@pytest.mark.parametrize("variable", ["UV_NO_INDEX", "PIP_NO_INDEX"])
def test_no_index_becomes_a_flag_for_uv_has_no_variable_for_it(
    tmp_path: Path, variable: str, value: str, flags: object
) -> None:
    assert read(tmp_path, **{variable: value}).flags == flags


def test_credentials_come_from_addresses_netrc_and_named_indexes(tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine n.example login nina password n3t\n")
    found = read(
        tmp_path,
        UV_DEFAULT_INDEX="https://anna:p%40ss@a.example:8443/simple?x=1",
        UV_INDEX="own-one=https://o.example/simple https://b.example/simple",
        UV_INDEX_OWN_ONE_USERNAME="otto",
        UV_INDEX_OWN_ONE_PASSWORD="0tt0",
    )
    assert found.credentials_for("a.example:8443") == ("anna", "p@ss")
    assert found.credentials_for("n.example") == ("nina", "n3t")
    assert found.credentials_for("o.example") == ("otto", "0tt0")
    assert found.credentials_for("b.example") is None


def test_settings_do_not_print_what_is_in_them(tmp_path: Path) -> None:
    assert "p4ss" not in repr(read(tmp_path, UV_DEFAULT_INDEX="https://anna:p4ss@a.example"))


def test_digest_differs_for_another_index_and_not_for_another_shell(tmp_path: Path) -> None:
    one = read(tmp_path, UV_DEFAULT_INDEX="https://a.example", TERM="xterm").digest
    assert one == read(tmp_path, UV_DEFAULT_INDEX="https://a.example", TERM="dumb").digest
    assert one != read(tmp_path, UV_DEFAULT_INDEX="https://b.example").digest
    assert one != read(tmp_path, UV_DEFAULT_INDEX="https://a.example", UV_NO_INDEX="1").digest
