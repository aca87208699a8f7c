"""What the SageMaker SDK does to a sandbox: the program of a Python that has the SDK, which this one need not have.

    python -m support.sdk_scenarios '{"image": …, "role": …, "bucket": …}'

runs every scenario, each on resources of its own names, and prints as JSON how each went. AWS_ENDPOINT_URL says where. Any
connection to another machine ends it. A scenario leaves nothing behind.
"""

from __future__ import annotations

import json
import sys

from support import sdk_endpoints, sdk_others
from support.sdk_kit import SCENARIOS, Given, run, watch_connections

NAMES = tuple(SCENARIOS)
"""Of all, in the order in which they run."""
MODULES = (sdk_endpoints, sdk_others)


if __name__ == "__main__":
    sys.addaudithook(watch_connections)
    result = run(Given(**json.loads(sys.argv[1])))
    sys.stdout.write(f"\n{json.dumps(result)}\n")
