"""What a line must not tell: registries, machines and secrets, each with what looks like one and is none.

The samples are put together from parts: this file is checked like any other.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from leaks import Machine, describe_machine, find_leaks

MACHINE = Machine(index_hosts=frozenset({"mirror.corp.zz", "nexus"}), folders=frozenset({"/checkouts/dockyard"}))
REGISTRY = "address of a package registry"
FOLDER = "path of somebody's machine"
KEY = "wJalrXUtn" + "FEMI4K7MD" + "ENGbPxRfiCY"


def leaks_of(line: str, path: str = "docs/page.md") -> list[str]:
    return list(find_leaks(path, line, MACHINE))


@pytest.mark.parametrize(
    "line",
    [
        "https://files.python" + "hosted.org/packages/a/b.whl",
        "https://pypi" + ".org/simple/dockyard/",
        "https://registry.np" + "mjs.org/left-pad",
        "GOPROXY=https://proxy.go" + "lang.org",
        "deb http://deb.deb" + "ian.org/debian bookworm main",
        "--index" + "-url https://packages.corp.zz/simple",
        "--extra-index" + "-url=https://packages.corp.zz/simple",
        "--find" + "-links https://packages.corp.zz/wheels",
        "trusted-host = mirror.corp.zz",
        "https://nexus/repository/pypi",
        "https://reader@nexus/repository/pypi",
    ],
)
def test_address_of_a_package_registry_is_found(line: str) -> None:
    assert leaks_of(line) == [REGISTRY]


@pytest.mark.parametrize(
    "line",
    [
        "https://pypi.org/project/dockyard",
        "pass --index-url to choose another index",
        "--index-url https://packages.example.com/simple",
        "--index-url http://127.0.0.1:3141/simple",
        "a nexus of services",
        "https://nexus.example/",
        "https://notmirror.corp.zz/",
        "docker.io/library/python:3.11-slim",
    ],
)
def test_link_option_or_word_is_no_address_of_a_registry(line: str) -> None:
    assert leaks_of(line) == []


@pytest.mark.parametrize(
    "path", ["requirements/dev.txt", "requirements.txt", "examples/a/requirements-dev.txt", "uv.lock", "a/pylock.prod.toml"]
)
def test_lock_file_names_no_address_at_all(path: str) -> None:
    assert leaks_of('url = "https://packages.corp.zz/a.whl"', path) == [REGISTRY]
    assert leaks_of("a==1 --hash=sha256:" + "0123456789abcdef" * 4, path) == []


def test_other_files_may_link_anywhere() -> None:
    assert leaks_of("https://packages.corp.zz/a.whl") == []


@pytest.mark.parametrize(
    "line",
    [
        "cd /checkouts" + "/dockyard/src",
        "see /home" + "/maria/notes.txt",
        "'/Users" + "/maria/notes.txt'",
        "cat /ro" + "ot/.netrc",
        "cd /tmp/" + "tmpab12cd_e/model",
        "cd /tmp/" + "pytest-of-maria/x",
    ],
)
def test_path_of_a_machine_is_found(line: str) -> None:
    assert leaks_of(line) == [FOLDER]


@pytest.mark.parametrize(
    "line",
    [
        "/home/user/.config",
        "/home/nonroot/model",
        '"$work/root/bin"',
        "https://example.org/home/maria/",
        "root:x:0:0:root:/root:/bin/sh",
        "cd /tmp/model",
        "/opt/ml/model",
        "/checkouts/dockyards/src",
    ],
)
def test_path_of_an_image_or_an_address_is_no_machines(line: str) -> None:
    assert leaks_of(line) == []


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("AK" + "IAIOSFODNN7EXAMPLE", "an AWS access key id"),
        ("-----BEGIN RSA PRIV" + "ATE KEY-----", "a private key"),
        ("-----BEGIN PRIV" + "ATE KEY-----", "a private key"),
        ("ghp" + "_" + "a1B2" * 9, "a GitHub token"),
        ("xox" + "b-1234567890-abc", "a Slack token"),
        ("ey" + "JhbGciOiJIUzI1NiJ9.ey" + "JzdWIiOiIxMjM0In0.x", "a JSON web token"),
    ],
)
def test_secret_with_a_known_form_is_found(line: str, kind: str) -> None:
    assert leaks_of(line) == [f"looks like {kind}"]


@pytest.mark.parametrize(
    "line",
    [
        f'aws_secret_access_key = "{KEY}"',
        f"AWS_SECRET_ACCESS_KEY={KEY}",
        f"password: {KEY}",
        f'{{"token": "{KEY}"}}'.replace("}", " }"),
        f'client(api_key="{KEY}")',
        f"mysql://dockyard:{KEY}@db/mlflow",
    ],
)
def test_random_value_under_a_telling_name_is_found_and_not_repeated(line: str) -> None:
    (found,) = leaks_of(line)
    assert found.startswith("looks like a secret")
    assert KEY not in found


@pytest.mark.parametrize(
    "line",
    [
        'password = "correct-horse-battery"',
        "password: ${DB_PASSWORD_2026}",
        'secret_name = "dockyard-registry-auth-2026"',
        "token = read_token_from_environment_2(settings)",
        f'digest = "{KEY}"',
        'password = "a1a1a1a1a1a1a1a1"',
        "postgresql://dockyard:password@db/mlflow",
    ],
)
def test_name_reference_or_plain_word_is_no_secret(line: str) -> None:
    assert leaks_of(line) == []


def test_line_that_gives_its_reason_is_excused_from_secrets_only() -> None:
    excused = "  # not a secret: the documentation's sample key"
    assert leaks_of(f'password = "{KEY}"{excused}') == []
    assert leaks_of("cat /ro" + f"ot/.netrc{excused}") == [FOLDER]


def test_excuse_without_a_reason_excuses_nothing() -> None:
    assert leaks_of(f'password = "{KEY}"  # not a secret:') != []


def test_machine_is_known_by_its_indexes_and_its_checkout(tmp_path: Path) -> None:
    environment = {
        "PIP_INDEX_URL": "https://reader:word@mirror.corp.zz:8443/simple",
        "UV_INDEX": "http://127.0.0.1:3141/simple https://packages.example.com/simple",
        "HOMEPAGE": "https://other.corp.zz",
    }
    machine = describe_machine(tmp_path / "dockyard", environment)
    assert {"mirror.corp.zz", "127.0.0.1:3141"} <= machine.index_hosts
    assert not {"other.corp.zz", "packages.example.com", "127.0.0.1"} & machine.index_hosts
    assert {str(tmp_path), str(tmp_path / "dockyard")} <= machine.folders


@pytest.mark.parametrize("checkout", ["/app", "/src/dockyard"])
def test_checkout_in_a_folder_that_images_have_too_bans_no_such_folder(checkout: str) -> None:
    assert not {"/", "/app", "/src"} & describe_machine(Path(checkout), {}).folders
