"""What is said on a feed, and who listens to it."""

from typing import ClassVar, Final

import attrs

from wattswarm.kernel import artifact, fields
from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.limits import TOPIC_TEXT_BYTES_MAX
from wattswarm.kernel.payloads import form
from wattswarm.kernel.payloads.form import PATH, Form

GOSSIP_KINDS: Final = ("checkpoints", "events", "messages", "rules", "summaries")
"""What a subscriber may ask for, in the order in which it is written."""

SERVICES: Final = ("history_backfill", "live_gossip", "local_store")
"""What a subscriber may offer to others, in the order in which it is written."""


@attrs.frozen(kw_only=True)
class TopicMessagePosted:
    """A message on a feed: a short text in the event, or a reference to a longer body."""

    kind: ClassVar[str] = "TOPIC_MESSAGE_POSTED"

    feed_key: str
    text: str | None = None
    body: ArtifactRef | None = None
    reply_to: EventId | None = None


@attrs.frozen(kw_only=True)
class FeedSubscriptionUpdated:
    """The author listens to a feed in the event's scope, or does not any more.

    `gossip_kinds` says what it wants to hear, `provides` what it does for others on that feed.
    """

    kind: ClassVar[str] = "FEED_SUBSCRIPTION_UPDATED"

    feed_key: str
    revision: int
    active: bool
    gossip_kinds: tuple[str, ...] | None = None
    provides: tuple[str, ...] | None = None
    retention_ms: int | None = None


def _message(
    *,
    feed_key: str,
    text: str | None = None,
    body: ArtifactRef | None = None,
    reply_to: EventId | None = None,
) -> TopicMessagePosted:
    if text is None and body is None:
        raise fields.bad(f"{PATH}.text", "a message has a text or a body")
    if text is not None and body is not None:
        raise Malformed(
            code="inconsistent", path=f"{PATH}.body", message="a message has a text or a body"
        )
    return TopicMessagePosted(feed_key=feed_key, text=text, body=body, reply_to=reply_to)


def _text(value: Value, path: str) -> str:
    text = fields.text(value, path, bytes_max=TOPIC_TEXT_BYTES_MAX)
    if not text:
        raise fields.bad(path, "a text is not empty")
    return text


def _body(value: Value, path: str) -> ArtifactRef:
    body = artifact.read(value, path)
    if not body.size_bytes:
        raise fields.bad(f"{path}.size_bytes", "a body is not empty")
    return body


FORMS: Final = (
    Form(
        TopicMessagePosted.kind,
        _message,
        {"feed_key": form.name},
        {"text": _text, "body": _body, "reply_to": form.id32},
    ),
    Form(
        FeedSubscriptionUpdated.kind,
        FeedSubscriptionUpdated,
        {"feed_key": form.name, "revision": form.number, "active": form.flag},
        {
            "gossip_kinds": form.words(GOSSIP_KINDS),
            "provides": form.words(SERVICES),
            "retention_ms": form.number,
        },
    ),
)
