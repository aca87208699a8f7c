"""The key of an S3 server, read from its files whenever boto3 asks.

Owns the AWS configuration that boto3 finds, and the answer to its question. The key is never in the environment, and a
changed one is taken within five minutes, without a restart.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from dockyard_tracking.database import read_secret

CONNECT_SECONDS = 5
_LIFETIME = timedelta(minutes=20)  # boto3 asks again when less than 15 minutes are left


def limit_waiting() -> None:
    """Let every client of this process give up in seconds on a server that does not answer, and not after minutes."""
    from botocore.config import Config

    Config.OPTION_DEFAULTS["connect_timeout"] = CONNECT_SECONDS  # there is neither a variable nor a line of a file for it


def describe_environment(scratch: Path) -> Mapping[str, str]:
    """Write boto3's configuration below `scratch`. Returns the variables by which it is found."""
    file = scratch / "aws_config"
    file.write_text(f"[default]\ncredential_process = {sys.executable} -m dockyard_tracking s3-key\n", encoding="utf-8")
    return {"AWS_CONFIG_FILE": str(file)}


def render_key(folder: Path, now: datetime) -> str:
    """The key as boto3 wants it from a process. With an end, so that it asks again."""
    said = {
        "Version": 1,
        "AccessKeyId": read_secret(folder / "access-key-id"),
        "SecretAccessKey": read_secret(folder / "secret-access-key"),
        "Expiration": (now + _LIFETIME).isoformat(timespec="seconds"),
    }
    return json.dumps(said)
