"""The local target: revisions as processes or containers, and one forwarder per deployment in front of them.

    host.py, inventory.py          the ports LocalHost and LocalInventory: what is there, and each change of it
      state.py, layout.py          what is remembered, and where
      process.py, containers.py    the two runtimes, behind runtime.py
    supervisor.py                  a process of its own per revision (process runtime): keeps the scorer alive
    forwarder.py                   a process of its own per deployment: owns the public port

The two programs must start fast and stay small: they import the standard library, and the forwarder h11 and uvicorn.
This module imports nothing for their sake.
"""
