"""The rule of control words: stop, suspend, resume and kill.

They are gathered by content: a word, its number and its reason, whoever carries it. Finalizers of
a pin that an epoch of the task is open under sign the content, and it is backed when as many did as
that pin's threshold; the creator's own event needs no signature, except to kill. Nothing else of a
carrier is read: not its date, and not its epoch. What stands is a view (`TaskState.control`), for
`decide` and for people: it changes no verdict of any other kind.
"""

from wattswarm.kernel.hashing import Context, digest
from wattswarm.kernel.ids import Digest, NodeId, TaskId
from wattswarm.kernel.payloads.control import PAYLOADS, ControlPayload, ControlWord
from wattswarm.kernel.records import Control
from wattswarm.kernel.rule import Entry, Hold, Provided, Rule, ignored, waits
from wattswarm.kernel.signature import Domain, is_valid, message
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.verdict import Ignored, Need, On
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
    said = content(entry.payload)
    if not state.versions:
        assert state.pin is not None, "the machine asks when the pin is known"
        return waits(Need(On.VERSION, state.pin))
    if entry.facts is None:
        entry.facts = ()
        _offer(entry.payload, said, state)
    if _is_creators(entry, state):
        return None
    if entry.voided is not None and not entry.payload.sigs:
        return ignored(entry.voided)
    if not _is_signed(entry.payload, said, state):
        is_asked = entry.payload.sigs or said.word is ControlWord.KILLED
        verdict = Ignored("no_valid_signature" if is_asked else "not_creator")
        return Hold(verdict, _quorum(said, state))
    return None if state.is_backed(said) else waits(_quorum(said, state))


def _is_signed(carried: ControlPayload, said: Control, state: TaskState) -> bool:
    """Tell whether the carrier has a valid signature of a finalizer of one of the task's pins."""
    return any(
        (said, signer) in state.backing and (said, signer, signature) not in state.offered
        for signer, signature in carried.sigs or ()
    )


def _offer(carried: ControlPayload, said: Control, state: TaskState) -> None:
    """Count the valid signatures; keep those of others, who may be finalizers of a later pin."""
    signed = control_message(state.network_id, state.task_id, said)
    for signer, signature in carried.sigs or ():
        if any(signer in version.finalizers for version in state.versions.values()):
            _check(said, signer, signature, signed, state)
        else:
            state.offered[said, signer, signature] = True


def _check(
    said: Control, signer: NodeId, signature: bytes, signed: bytes, state: TaskState
) -> bool:
    held = state.backing.get((said, signer))
    if held != signature and not is_valid(signer, signed, signature):
        state.offered[said, signer, signature] = True
        return False
    if held is None:
        state.backers[said] = state.backers.get(said, 0) + 1
    state.backing[said, signer] = signature if held is None else min(signature, held)
    return True


def learned(state: TaskState, version: Version) -> Provided:
    """Count what finalizers of a pin of the task signed before the pin was known to be one."""
    found: set[Control] = set()
    for said, signer, signature in [*state.offered]:
        if signer in version.finalizers:
            signed = control_message(state.network_id, state.task_id, said)
            del state.offered[said, signer, signature]
            if _check(said, signer, signature, signed, state):
                found.add(said)
    return [_quorum(said, state) for said in sorted(found | state.backers.keys())]


def _is_creators(entry: Entry[ControlPayload], state: TaskState) -> bool:
    is_his = entry.event.author == state.creator and entry.payload.word is not ControlWord.KILLED
    return is_his and entry.voided is None


def _quorum(said: Control, state: TaskState) -> Need:
    return Need(On.QUORUM, control_hash(state.network_id, state.task_id, said))


def apply(entry: Entry[ControlPayload], state: TaskState) -> Provided:
    """Write the creator's word; wake the other carriers of a content that has its quorum."""
    said = content(entry.payload)
    if _is_creators(entry, state):
        state.commanded[said] = True
    return (_quorum(said, state),) if state.is_backed(said) else ()


def _who(word: ControlWord) -> str:
    finalizers = "finalizers of a pin"
    return finalizers if word is ControlWord.KILLED else f"the creator of the task, or {finalizers}"


RULES = tuple(
    Rule(made.kind, _who(made.word), judge, apply, in_task=False, voidable=False)
    for made in PAYLOADS.values()
)
