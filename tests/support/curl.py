"""As much of `curl` as the pages use, for machines that have none: `curl [-sS] [-H HEADER] -d @FILE URL`."""

from __future__ import annotations

import argparse
import sys
import urllib.request
from pathlib import Path


def main() -> None:
    """Post the file's bytes, and print the answer as it is."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-sS", dest="quiet", action="store_true")
    parser.add_argument("-H", dest="header", default="Content-Type: application/x-www-form-urlencoded")
    parser.add_argument("-d", dest="body", required=True)
    parser.add_argument("url")
    given = parser.parse_args()
    url = given.url if "://" in given.url else f"http://{given.url}"
    name, _, value = given.header.partition(":")
    body = Path(given.body.removeprefix("@")).read_bytes()
    with urllib.request.urlopen(urllib.request.Request(url, body, {name: value.strip()})) as answer:
        sys.stdout.write(answer.read().decode())


if __name__ == "__main__":
    main()
