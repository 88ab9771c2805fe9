"""Dead letters: messages that crashed their actor too often, for a person to look at."""

from collections.abc import Mapping
from typing import Final, cast

import attrs

from wattswarm.actors.runtime.errors import ActorError, BadWire
from wattswarm.actors.runtime.exit import DeadLetter as Letter
from wattswarm.actors.runtime.message import decode
from wattswarm.actors.runtime.tree_control import TreeControl
from wattswarm.kernel.errors import Rejection
from wattswarm.operations.failing import of_actor_error
from wattswarm.operations.reading import LocalSession
from wattswarm.store.local import DeadLetters, StoredLetter
from wattswarm.surface.actor import DeadLetter, DeadLetterPage, LetterActed
from wattswarm.surface.words import plain, when

ID_DIGITS_MAX: Final = 15
BODY_SHOWN_BYTES_MAX: Final = 65_536


@attrs.frozen(eq=False, kw_only=True)
class Letters:
    """The part of `ActorOperations` about dead letters."""

    local: LocalSession
    tree: TreeControl

    async def dead_letters(
        self, *, actor: str | None, cursor: str | None, limit: int
    ) -> DeadLetterPage | Rejection:
        """Return dead letters, newest first."""
        if cursor is not None and not _is_number(cursor):
            return Rejection(code="bad_parameter", message="the cursor is not one of this list")
        before_id = None if cursor is None else int(cursor)
        found = await self.local.run(
            lambda session: DeadLetters(session).letters(
                limit=limit + 1, before_id=before_id, actor=actor
            )
        )
        return DeadLetterPage(
            items=tuple(map(_view, found[:limit])),
            next=str(found[limit - 1].letter_id) if len(found) > limit else None,
        )

    async def retry_letter(self, letter_id: int) -> LetterActed | Rejection:
        """Give a dead letter to its actor again; it is forgotten once it is in the inbox."""
        found = await self.local.run(lambda session: DeadLetters(session).letter(letter_id))
        if found is None:
            return _unknown(letter_id)
        try:
            was_taken = await self.tree.retry(_letter(found))
        except (ActorError, LookupError) as error:
            return _not_delivered(found, error)
        if not was_taken:
            return Rejection(code="refused", message=f"the inbox of {found.actor} is full")
        await self.local.run(lambda session: DeadLetters(session).remove(letter_id))
        return LetterActed(letter_id=letter_id, action="retried")

    async def drop_letter(self, letter_id: int) -> LetterActed | Rejection:
        """Forget a dead letter."""
        if not await self.local.run(lambda session: DeadLetters(session).remove(letter_id)):
            return _unknown(letter_id)
        return LetterActed(letter_id=letter_id, action="dropped")


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) <= ID_DIGITS_MAX


def _unknown(letter_id: int) -> Rejection:
    return Rejection(code="not_found", message=f"there is no dead letter {letter_id}")


def _not_delivered(letter: StoredLetter, error: ActorError | LookupError) -> Rejection:
    match error:
        case BadWire():
            message = f"this version cannot read the message of {letter.actor} any more: {error}"
            return Rejection(code="malformed", message=message)
        case ActorError():
            return of_actor_error(error)
        case _:
            return Rejection(code="not_found", message=f"there is no actor {letter.actor} any more")


def _letter(stored: StoredLetter) -> Letter:
    fields = attrs.asdict(stored)
    del fields["letter_id"]
    return Letter(**fields)


def _view(stored: StoredLetter) -> DeadLetter:
    return DeadLetter(
        letter_id=stored.letter_id,
        actor=stored.actor,
        message_type=stored.message.partition("(")[0],
        message_id=str(stored.message_id),
        sender=stored.sender,
        crashes=stored.crashes,
        error=stored.error,
        traceback=stored.traceback,
        size_bytes=len(stored.body),
        at=when(stored.at_ms),
        body=_body(stored),
    )


def _body(stored: StoredLetter) -> Mapping[str, object] | None:
    """Return the message's fields, where this version can read it and it is not large."""
    if len(stored.body) > BODY_SHOWN_BYTES_MAX:
        return None
    try:
        message = decode(stored.body)
    except BadWire:
        return None
    fields = attrs.asdict(cast("attrs.AttrsInstance", message))
    return cast("Mapping[str, object]", plain(fields))
