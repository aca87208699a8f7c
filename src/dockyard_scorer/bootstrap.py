"""The image's `/opt/dockyard/scorer/__main__.py`: puts the locked dependencies on the path, then starts the scorer.

Owns `sys.path`. Must import nothing but the standard library until that is done. `PYTHONPATH` alone would not do:
Python reads `.pth` files only from folders that `site` was told of.
"""

from __future__ import annotations

import os
import site
import sys
from pathlib import Path


def add_site_packages(folder: str) -> None:
    """Give `folder` precedence over the interpreter's own packages and run its `.pth` files."""
    if folder not in sys.path:
        sys.path.insert(1, folder)  # behind the scorer's own sources, before whatever the base image brought
    site.addsitedir(folder)


def main() -> int:
    """Start the scorer with the arguments of this process."""
    prefix = Path(os.environ.get("DOCKYARD_PREFIX", "/opt/dockyard"))
    add_site_packages(os.environ.get("DOCKYARD_SITE_PACKAGES", str(prefix / "site-packages")))

    from dockyard_scorer.command import main as run_command

    return run_command(sys.argv[1:])


if __name__ == "__main__":
    raise SystemExit(main())
