"""The rule of control words: stop, suspend, resume and kill.

They are gathered by content: a word, its number and its reason, whoever carries it. Finalizers of
the pin sign the content, and it is backed when as many did as the pin's threshold; the creator's
own event needs no signature, except to kill. Nothing else of a carrier is read: not its date, and
not its epoch. What stands is a view (`TaskState.control`), for `decide` and for people: it changes
no verdict of any other kind.
"""

from wattswarm.kernel.hashing import Context, digest
from wattswarm.kernel.ids import Digest, TaskId
from wattswarm.kernel.payloads.control import PAYLOADS, ControlPayload, ControlWord
from wattswarm.kernel.records import Control
from wattswarm.kernel.rule import Entry, Hold, Provided, Rule, ignored, waits
from wattswarm.kernel.signature import Domain, is_valid, message
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.verdict import Need, On
from wattswarm.kernel.version import Version


def control_message(network_id: str, task_id: TaskId, control: Control) -> bytes:
    """Return the bytes that a finalizer signs."""
    kind = PAYLOADS[control.word].kind
    return message(Domain.CONTROL, [network_id, task_id, kind, control.control_no, control.reason])


def control_hash(network_id: str, task_id: TaskId, control: Control) -> Digest:
    """Return the name of a content, by which its carriers wait for its quorum."""
    return digest(Context.CONTROL, control_message(network_id, task_id, control))


def content(said: ControlPayload) -> Control:
    """Return what a carrier says, apart from who backs it."""
    return Control(said.word, said.control_no, said.reason)


def judge(entry: Entry[ControlPayload], state: TaskState) -> Hold | None:
    """Return why a carrier has no effect, or None.

    It takes effect as the creator's word, or with its content's quorum. A carrier with too few
    signatures waits for the others, wherever they come from: its own count meanwhile.
    """
    version, said = state.version, content(entry.payload)
    if version is None:
        assert state.pin is not None, "the machine asks when the pin is known"
        return waits(Need(On.VERSION, state.pin))
    if entry.facts is None:
        entry.facts = _valid(entry.payload, said, version, state)
    _count(entry, said, state)
    if _is_creators(entry, state):
        return None
    if not entry.facts:
        is_signed = entry.payload.sigs or said.word is ControlWord.KILLED
        return ignored("no_valid_signature" if is_signed else "not_creator")
    return None if state.is_backed(said) else waits(_quorum(said, state))


def _valid(
    carried: ControlPayload, said: Control, version: Version, state: TaskState
) -> tuple[int, ...]:
    """Return the indexes of the valid signatures, of Finalizers of the pin only: at most n."""
    signed = control_message(state.network_id, state.task_id, said)
    return tuple(
        index
        for index, (signer, signature) in enumerate(carried.sigs or ())
        if signer in version.finalizers
        and (state.backing.get((said, signer)) == signature or is_valid(signer, signed, signature))
    )


def _count(entry: Entry[ControlPayload], said: Control, state: TaskState) -> None:
    sigs = entry.payload.sigs or ()
    for signer, signature in (sigs[index] for index in entry.facts or ()):
        if (said, signer) not in state.backing:
            state.backers[said] = state.backers.get(said, 0) + 1
        state.backing[said, signer] = min(signature, state.backing.get((said, signer), signature))


def _is_creators(entry: Entry[ControlPayload], state: TaskState) -> bool:
    return entry.event.author == state.creator and entry.payload.word is not ControlWord.KILLED


def _quorum(said: Control, state: TaskState) -> Need:
    return Need(On.QUORUM, control_hash(state.network_id, state.task_id, said))


def apply(entry: Entry[ControlPayload], state: TaskState) -> Provided:
    """Write the creator's word; wake the other carriers of a content that has its quorum."""
    said = content(entry.payload)
    if _is_creators(entry, state):
        state.commanded[said] = True
    return (_quorum(said, state),) if state.is_backed(said) else ()


RULES = tuple(Rule(made.kind, judge, apply, in_task=False) for made in PAYLOADS.values())
