"""Changes of a deployment on a real cluster with requests running through them: none may fail, and nothing may be left over.

Owns how many requests and how fast, and what a deployment that has come to rest looks like.
"""

from __future__ import annotations

from collections.abc import Callable

from support.deployments import Ended
from support.k8s_yard import Yard
from support.steady_load import SteadyLoad

REQUESTS = 10_000
"""How many requests run through a change, at least."""
SECONDS = 240.0
CLIENTS, PAUSE_SECONDS = 4, 0.005
"""So many a second that a change of usual length sees REQUESTS of them; where it takes longer, there are fewer from then on."""


def assert_changes(
    yard: Yard, load: SteadyLoad, change: Callable[[], Ended], *, code: int = 0, requests: int = REQUESTS
) -> Ended:
    """So many requests run through a change, and in the end there is nothing that was not there before."""
    before = load.answered
    load.hurry(requests)
    ended = change().expect(code)
    load.wait_for(max(requests - (load.answered - before), 1), timeout=SECONDS)
    assert load.failures == []
    assert_settled(yard)
    return ended


def assert_settled(yard: Yard) -> None:
    """There is no candidate, and all objects are as they would be made."""
    assert yard.list_deployments() == ["shop"]
    (drift,) = yard.place.run("drift", "k8s/shop", "--json").result["deployments"]
    assert (drift["plan"]["steps"], drift["plan"]["changes"]) == ([], [])
