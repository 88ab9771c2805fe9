"""What a node says on the board: messages, subscriptions, announcements, sets, checkpoints.

Everything that could make the event ignored is checked before it is signed, and refused with the
path of the field and with what to do. What stands already is not said again.
"""

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

import attrs

from wattswarm.kernel import board
from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.decide.gate import Signings, refuse
from wattswarm.kernel.errors import Malformed, Rejection
from wattswarm.kernel.event import Draft
from wattswarm.kernel.governance import Governance
from wattswarm.kernel.ids import Digest, EventId, NodeId, TaskId
from wattswarm.kernel.lock import Signing
from wattswarm.kernel.payloads.board import (
    BoardPayload,
    CheckpointCreated,
    ExecutionIntentDeclared,
    ExecutionSetConfirmed,
    FeedSubscriptionUpdated,
    LaneMark,
    Member,
    TaskAnnounced,
    TopicMessagePosted,
    write,
)
from wattswarm.kernel.payloads.form import PATH
from wattswarm.kernel.payloads.topic import GOSSIP_KINDS, SERVICES
from wattswarm.kernel.verdict import Ignored

R = TypeVar(
    "R",
    FeedSubscriptionUpdated,
    TaskAnnounced,
    ExecutionIntentDeclared,
    ExecutionSetConfirmed,
)

KEY_REMEDY: Final = "use 1 to 128 letters, digits, dots, colons, dashes and underscores"
REMEDIES: Final[Mapping[str, str]] = {
    "$.scope": "use global, region:ID, node:ID or group:ID",
    "$.feed_key": KEY_REMEDY,
    "$.announcement_key": KEY_REMEDY,
    "$.execution_set": KEY_REMEDY,
    "$.role_hint": KEY_REMEDY,
    "$.intent": KEY_REMEDY,
    "$.text": "give some text; a longer one is posted as an artifact",
    "$.body": "give a text or a body, and one of them only",
    "$.summary": "shorten it, or put the whole into an artifact as the detail",
    "$.gossip_kinds": f"use some of {', '.join(GOSSIP_KINDS)}",
    "$.provides": f"use some of {', '.join(SERVICES)}",
    "$.members": "name each member once",
    "$.lanes": "state the lanes of one scope at a time",
    "$": "make it smaller",
}
"""What to do about a field, by its path."""


@attrs.frozen(kw_only=True)
class Speaker:
    """Who speaks, where, and when: later than its own last event of the board.

    Args:
        last_ms: The date of that one, 0 when there was none.
    """

    network_id: str
    me: NodeId
    scope: str
    now_ms: int
    last_ms: int = 0

    def date(self, *after_ms: int) -> int:
        """Return the date of the next event, after those of what it names."""
        return max(self.now_ms, 1 + max(self.last_ms, *after_ms, 0))


def may_speak(governance: Governance, me: NodeId, now_ms: int) -> Rejection | None:
    """Return why what a node says now would have no effect anywhere; None when it would."""
    if governance.genesis is None:
        return refuse("no_governance")
    if not governance.admits(me):
        return refuse("not_admitted")
    return refuse("barred") if governance.bars(me, now_ms) else None


def post(
    speaker: Speaker,
    feed_key: str,
    *,
    text: str | None = None,
    body: ArtifactRef | None = None,
    reply_to: EventId | None = None,
    reply_to_ms: int = 0,
) -> Signings | Rejection:
    """Return a message on a feed.

    Args:
        reply_to_ms: The date of the message that it answers, where that is known.
    """
    said = TopicMessagePosted(feed_key=feed_key, text=text, body=body, reply_to=reply_to)
    return _say(speaker, said, reply_to_ms)


def subscribe(
    speaker: Speaker,
    feed_key: str,
    before: FeedSubscriptionUpdated | None,
    *,
    active: bool = True,
    gossip_kinds: Sequence[str] | None = None,
    provides: Sequence[str] | None = None,
    retention_ms: int | None = None,
) -> Signings | Rejection:
    """Return that this node listens to a feed, or does not; nothing when that stands already.

    Args:
        before: What stands of this node, scope and feed. gossip_kinds, provides: In any order.
    """
    if not active and (before is None or not before.active):
        return ()
    said = FeedSubscriptionUpdated(
        feed_key=feed_key,
        revision=0,
        active=active,
        gossip_kinds=_in_order(gossip_kinds),
        provides=_in_order(provides),
        retention_ms=retention_ms,
    )
    return _revise(speaker, said, before)


def announce(
    speaker: Speaker,
    announcement_key: str,
    before: TaskAnnounced | None,
    *,
    feed_key: str,
    task: TaskId,
    task_ms: int = 0,
    summary: str | None = None,
    detail: ArtifactRef | None = None,
) -> Signings | Rejection:
    """Return the announcement of a task; nothing when the same stands under that key already.

    Args:
        before: What stands of this node and scope under the key. task_ms: When the task was made.
    """
    said = TaskAnnounced(
        announcement_key=announcement_key,
        feed_key=feed_key,
        task=task,
        revision=0,
        summary=summary,
        detail=detail,
    )
    return _revise(speaker, said, before, task_ms)


def declare(
    speaker: Speaker,
    task: TaskId,
    execution_set: str,
    before: ExecutionIntentDeclared | None,
    *,
    role_hint: str,
    intent: str,
    task_ms: int = 0,
) -> Signings | Rejection:
    """Return what this node means to do in an execution set; nothing when it said so last."""
    said = ExecutionIntentDeclared(
        task=task, execution_set=execution_set, role_hint=role_hint, intent=intent, revision=0
    )
    return _revise(speaker, said, before, task_ms)


def confirm_set(
    speaker: Speaker,
    task: TaskId,
    execution_set: str,
    before: ExecutionSetConfirmed | None,
    *,
    members: Sequence[Member],
    task_ms: int = 0,
) -> Signings | Rejection:
    """Return whom this node holds for the members of a set, given in any order; see `declare`."""
    said = ExecutionSetConfirmed(
        task=task, execution_set=execution_set, members=tuple(sorted(members)), revision=0
    )
    return _revise(speaker, said, before, task_ms)


def checkpoint(
    speaker: Speaker, lanes: Sequence[LaneMark], *, chain: Digest, seq: int
) -> Signings | Rejection:
    """Return a checkpoint over these lanes, given in any order, and the end of this node's log."""
    return _say(speaker, CheckpointCreated(seq=seq, chain=chain, lanes=tuple(sorted(lanes))))


# --- within ---------------------------------------------------------------------------------------


def _in_order(words: Sequence[str] | None) -> tuple[str, ...] | None:
    return tuple(sorted(set(words))) if words else None


def _revise(speaker: Speaker, said: R, before: R | None, *after_ms: int) -> Signings | Rejection:
    if before is None:
        return _say(speaker, attrs.evolve(said, revision=1), *after_ms)
    if attrs.evolve(said, revision=before.revision) == before:
        return ()
    return _say(speaker, attrs.evolve(said, revision=before.revision + 1), *after_ms)


def _say(speaker: Speaker, payload: BoardPayload, *after_ms: int) -> Signings | Rejection:
    """Return the event that says it, if it would take effect."""
    kind = board.KINDS[payload.kind]
    fields = write(payload)
    draft = Draft(
        kind=payload.kind,
        scope=speaker.scope,
        lane_class=kind.lane_class,
        task_id=None,
        epoch=0,
        created_at=speaker.date(*after_ms),
        payload=fields,
    )
    try:
        kind.form.read(fields)
        event = draft.unsigned(speaker.network_id, speaker.me)
    except Malformed as error:
        return _refused(error)
    verdict = board.judge(event)
    if isinstance(verdict, Ignored):
        return refuse(verdict.code, path="$.lanes", remedy=REMEDIES["$.lanes"])
    return (Signing(draft),)


def _refused(error: Malformed) -> Rejection:
    """Return a refusal with the path as whoever gave the values knows it, and with a remedy."""
    path = error.path.replace(PATH, "$", 1)
    remedy = REMEDIES.get(path.partition("[")[0], REMEDIES.get(".".join(path.split(".")[:2]), ""))
    sentence = f"{path}: {error.message}" + (f"; {remedy}" if remedy else "")
    return Rejection(code=error.code, message=sentence, details={"path": path, "remedy": remedy})
