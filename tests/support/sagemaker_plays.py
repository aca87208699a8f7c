"""Create, update, rollback and delete on the sandbox, again and again on the same deployments; and what faults make of them.

A play begins where the one before it ended, as long as that ended well: most of what a test would have to make is there. What
one created another one deletes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from dockyard.domain.errors import DockyardError, NotFoundError
from dockyard.domain.result import BatchResult, DeleteResult, DeployResult, ResultStatus
from dockyard_sandbox.faults import Rule
from support.endpoint_load import EndpointLoad
from support.sagemaker_cloud import SageMakerCloud
from support.sagemaker_scene import Keep, Scene, keep_in_memory
from support.sagemaker_things import Eyes, count_things, expect_things

COMMANDS = ("create", "update", "rollback", "delete")
_THEN = {"create": "delete", "delete": "create"}
"""What comes next for a deployment, where that is something else."""
_PAUSE_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a command ended: what it said, and for one that failed, that it did."""

    said: str
    code: str = ""
    is_partial: bool = False

    @property
    def is_done(self) -> bool:
        """Whether nothing at all is missing."""
        return not self.code and not self.is_partial


@dataclass(kw_only=True)
class Play:
    """A deployment that one command is called on. `at` is its version, for rollbacks its revision; 0: there is none."""

    command: str
    scene: Scene
    eyes: Eyes
    at: int = 0
    things: list[tuple[str, str]] = field(default_factory=list)
    """All that there is of it between two calls of its command."""

    def prepare(self) -> None:
        """Let there be what the command is about."""
        if self.at or self.command == "create":
            return
        self.scene.deploy(1)
        self.at = 1
        if self.command == "rollback":
            self.scene.deploy(2)
            self.at = 2
        self.things = self.eyes.list_things()

    def act(self) -> Ending:
        """Call the command, which has the same aim until the play has ended."""
        try:
            result = self._call()
        except NotFoundError as error:
            if (self.command, error.code) == ("rollback", "no-revision"):
                # It serves already, and so there is nothing to go back to; what is missing of it a deploy completes.
                self.scene.deploy(3 - self.at)
                return Ending(said="it was done before")
            if (self.command, error.code) == ("delete", "deployment-not-found"):
                return Ending(said="it was done before")
            return Ending(said=f"{error.message} {error.hint}", code=error.code)
        except DockyardError as error:
            return Ending(said=f"{error.message} {error.hint}", code=error.code)
        said = " ".join(f"{one.code} {one.message}" for one in result.failures)
        return Ending(said=said, is_partial=result.status is ResultStatus.PARTIAL)

    def _call(self) -> DeployResult | DeleteResult | BatchResult:
        if self.command == "batch":
            return self.scene.batch()
        if self.command == "rollback":
            return self.scene.roll_back(3 - self.at)
        if self.command == "delete":
            return self.scene.delete()
        return self.scene.deploy(self.at + 1, history_limit=1)

    def assert_ended(self) -> None:
        """All is as the command is to leave it, and nothing else is there."""
        self.things = self.eyes.list_things()
        if self.command == "delete":
            assert self.things == [], self.things
            return
        count, expected = count_things(self.things), expect_things(2 if self.command == "rollback" else 1)
        assert count == expected, count
        seen, endpoint = self.scene.observe(), self.eyes.describe()
        assert endpoint["EndpointStatus"] == "InService"
        digest = self.eyes.read_image(endpoint["EndpointConfigName"], self.things)
        assert seen.serving_revision is not None
        assert seen.serving_revision.image.endswith(digest)
        version = 3 - self.at if self.command == "rollback" else self.at + 1
        assert seen.serving_revision.spec.model.digest == self.scene.resolve(version).digest
        assert self.scene.list_claiming(seen) == [seen.serving]
        assert not self.scene.local.queue.list_entries()

    def close(self) -> None:
        """Remember where it is."""
        if self.command == "rollback":
            self.at = 3 - self.at
        else:
            self.at = 0 if self.command == "delete" else self.at + 1


@contextmanager
def open_play(cloud: SageMakerCloud, command: str, keep: Keep = keep_in_memory, *, over_http: bool = False) -> Iterator[Play]:
    """A play that is prepared; what it leaves is looked at when the block has ended well."""
    resting = cloud.resting.setdefault(f"{command} {keep.__name__}", [])
    if resting:
        found = dataclasses.replace(resting.pop(), command=command)
    else:
        scene = cloud.make_scene(keep)
        found = Play(command=command, scene=scene, eyes=Eyes(session=cloud.eyes, endpoint=scene.endpoint))
    cloud.script()
    found.prepare()
    found.scene.wire = cloud.far if over_http else cloud.wire
    yield found
    found.assert_ended()
    found.close()
    cloud.resting.setdefault(f"{_THEN.get(command, command)} {keep.__name__}", []).append(found)


@contextmanager
def is_served_throughout(cloud: SageMakerCloud, play: Play) -> Iterator[None]:
    """Somebody asks the endpoint all the time, and every request is answered, by a revision that is or was there to serve."""
    if play.command not in {"update", "rollback"}:
        yield
        return
    with EndpointLoad(cloud.port, play.scene.endpoint, pause_seconds=_PAUSE_SECONDS) as load:
        yield
    assert [answer for answer in load.answers if not answer.startswith('{"predictions": ["sha256:')] == []
    assert load.answers


def suffer(cloud: SageMakerCloud, play: Play, *rules: Rule) -> Ending:
    """Call the command while these things go wrong, then once more when nothing does, which completes it.

    A command that failed has left nothing behind: but for `delete`, all is as before.
    """
    with is_served_throughout(cloud, play):
        cloud.script(*rules)
        ending = play.act()
        cloud.script()
        if ending.code and play.command != "delete":
            left = play.eyes.list_things()
            difference = sorted({*left} ^ {*play.things})
            assert left == play.things, f"{ending}\nleft: {difference}\n{play.scene.progress.notes[-9:]}"
        complete(play)
    return ending


def complete(play: Play) -> None:
    """The same command again is done."""
    again = play.act()
    assert again.is_done, again
