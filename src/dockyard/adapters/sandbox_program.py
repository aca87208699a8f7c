"""The program behind `dockyard sandbox up`: the sandbox as a daemon, until it is told to end.

Owns that process. Its starter waits until it answers; `sandbox` finds and ends it. Must not print but to its log.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from dockyard.adapters.local.daemon import detach, hold_pid_file, watch_for_end
from dockyard.adapters.sandbox import PID_FILE, SETTINGS_FILE, STATE_FILE, SandboxSetup, SandboxState, write_state
from dockyard_sandbox.local_cloud import LocalCloud, LocalCloudSettings
from dockyard_sandbox.sandbox import Sandbox, SandboxSettings


def main(folder: Path) -> int:
    """Serve until SIGTERM. Exits before it stands where another one holds the folder."""
    say_ready = detach()
    if hold_pid_file(folder / PID_FILE) is None:
        return 1
    ending = watch_for_end()
    setup = SandboxSetup(**json.loads((folder / SETTINGS_FILE).read_text()))
    os.environ.update(setup.engine)
    cloud = LocalCloud(
        LocalCloudSettings(
            folder=folder / "data",
            cache=Path(setup.cache),
            runner=setup.runner,
            sandbox_id=setup.sandbox_id,
            container_limit=setup.containers,
            environ=dict(os.environ),
        )
    )
    settings = SandboxSettings(
        make_parts=cloud.make_parts,
        port=setup.port,
        region=setup.region,
        speed=setup.speed,
        startup_speed=setup.startup_speed,
    )
    with Sandbox(settings) as sandbox:
        cloud.wait_until_ready()
        state = SandboxState(
            url=sandbox.url,
            runner="docker" if cloud.has_engine else "unpacked",
            sandbox_id=setup.sandbox_id,
            environment=sandbox.environment,
        )
        write_state(folder / STATE_FILE, state)
        say_ready()
        ending.wait()
    (folder / STATE_FILE).unlink()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
