"""`python -m dockyard_tracking`: see `dockyard_tracking.command`."""

from __future__ import annotations

import sys

from dockyard_tracking.command import main

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
