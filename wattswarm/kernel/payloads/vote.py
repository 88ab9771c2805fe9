"""Votes: committed and then revealed, or plain."""

import enum
from typing import ClassVar, Final

import attrs

from wattswarm.kernel import fields
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.ids import Digest, EventId
from wattswarm.kernel.limits import SEEN_ITEMS_MAX
from wattswarm.kernel.payloads import form
from wattswarm.kernel.payloads.form import Form


class Ballot(enum.StrEnum):
    """What a vote says."""

    APPROVE = "approve"
    REJECT = "reject"


BALLOT_WORDS: Final = tuple(ballot.value for ballot in Ballot)


def read_ballot(value: Value, path: str) -> Ballot:
    """Return what a vote that `value` is says."""
    return Ballot(fields.word(value, path, BALLOT_WORDS))


@attrs.frozen(kw_only=True)
class VoteCommit:
    """A vote on the candidate of the author's own `result`, still sealed."""

    kind: ClassVar[str] = "VOTE_COMMIT"

    result: EventId
    commit_hash: Digest


@attrs.frozen(kw_only=True)
class VoteReveal:
    """The vote that a commit sealed, and the commits that its author had `seen` by then."""

    kind: ClassVar[str] = "VOTE_REVEAL"

    commit: EventId
    vote: Ballot
    salt: bytes
    seen: tuple[EventId, ...]


@attrs.frozen(kw_only=True)
class PlainVote:
    """A vote without a commit, where the contract asks for none. Its kind is VOTE_REVEAL too."""

    kind: ClassVar[str] = "VOTE_REVEAL"

    result: EventId
    vote: Ballot


PLAIN: Final = Form(PlainVote.kind, PlainVote, {"result": form.id32, "vote": read_ballot})

FORMS: Final = (
    Form(VoteCommit.kind, VoteCommit, {"result": form.id32, "commit_hash": form.id32}),
    Form(
        VoteReveal.kind,
        VoteReveal,
        {
            "commit": form.id32,
            "vote": read_ballot,
            "salt": form.id32,
            "seen": form.ids_up_to(SEEN_ITEMS_MAX),
        },
    ),
)
