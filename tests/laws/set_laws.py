"""Laws 1 to 5: what derivation makes of sets, subsets and orders of events.

Source: least fixpoints of monotone operators (Tarski 1955); CALM (Hellerstein and Alvaro 2020) for
why a monotone reading needs no order.
"""

import random
from collections.abc import Iterable, Sequence

from tests.laws import naive
from tests.laws.histories import History
from tests.laws.report import Law
from wattswarm.kernel import governance
from wattswarm.kernel.event import Draft, Event
from wattswarm.kernel.governance import Changes, Governance
from wattswarm.kernel.group_digest import group_digest
from wattswarm.kernel.payloads.control import PAYLOADS
from wattswarm.kernel.rows import rows
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.task import TaskMachine, derive, extend

NAIVE_EVENTS_MAX = 90


def governance_of(history: History, later: Iterable[Event] | None = None) -> Governance:
    """Return governance that knows the genesis and these later events, by default all."""
    known = history.network.governance()
    for event in history.later if later is None else later:
        known.add(event)
    return known


def derived(
    history: History, events: Iterable[Event], later: Iterable[Event] | None = None
) -> TaskState:
    """Return what a set of a history's events comes to."""
    return derive(history.task.event_id, events, governance_of(history, later))


def subset(rng: random.Random, events: Sequence[Event]) -> list[Event]:
    """Draw a subset: of any size, mostly with the task's creation."""
    share = rng.random()
    return [event for event in events if rng.random() < share or event is events[0]]


def check_superset(law: Law, history: History, rng: random.Random, where: str) -> None:
    """Law 1: what is effective in a set is effective in every superset, governance included."""
    whole = derived(history, history.events)
    for _ in range(3):
        later = subset(rng, [*history.later]) if history.later else []
        part = derived(history, subset(rng, history.events), later)
        for name in part.effective:
            law.check(name in whole.effective, f"{where} {name.hex()[:8]}")
        for counted in part.counted:
            law.check(counted in whole.counted, f"{where} count {counted.hex()[:8]}")


def check_non_interference(law: Law, history: History, rng: random.Random, where: str) -> None:
    """Law 2: no author's events take the effect from another's."""
    whole = derived(history, history.events)
    for author in sorted({event.author for event in history.events}):
        others = [event for event in history.events if event.author != author]
        if history.task.author == author:
            others.append(history.task)
        alone = derived(history, others)
        for name in alone.effective:
            law.check(name in whole.effective, f"{where} {author.hex()[:8]} {name.hex()[:8]}")


def check_irrevocable(law: Law, history: History, rng: random.Random, where: str) -> None:
    """Law 3: what is final stays final, whatever is added, while few enough finalizers lie."""
    label = derived(history, history.events).label
    assert label is not None, "the creation of a history's task can be read"
    events = [*history.events, *_rewrapped(history, rng)]
    rng.shuffle(events)
    known = governance_of(history)
    machine = TaskMachine(history.task.event_id, known)
    final: bytes | None = None
    for event in events:
        machine.add([event])
        outcome = machine.state.outcome(label)
        if final is not None:
            is_same = outcome is not None and outcome.candidate == final
            law.check(is_same and outcome is not None and not outcome.is_disputed, where)
        final = None if outcome is None else outcome.candidate
        if rng.random() < 0.05:
            machine.governance_changed(_another_version(history, known, rng).versions)
            law.check(machine.state.outcome(label) == outcome, f"{where} governance")


def _rewrapped(history: History, rng: random.Random) -> list[Event]:
    """Return carriers of the same signatures by others, at other dates, and second contracts."""
    outsider = KeyPair.from_seed(rng.randbytes(32))
    made: list[Event] = []
    for event in history.events:
        if event.kind != "DECISION_FINALIZED" or rng.random() < 0.5:
            continue
        draft = Draft(
            kind=event.kind,
            scope=event.scope,
            lane_class=event.lane_class,
            task_id=event.task_id,
            epoch=rng.choice((event.epoch, 2)),
            created_at=rng.choice((0, event.created_at, event.created_at + 10**9)),
            payload=event.payload,
        )
        made.append(draft.sign(history.network.network_id, outsider))
    return made


def _another_version(history: History, known: Governance, rng: random.Random) -> Changes:
    """Make one more version valid: nobody but the founder is left in it, if the founder may."""
    head = known.head()
    assert head is not None, "a history's governance is known"
    founder = history.network.carrier.author
    keys = [
        KeyPair.from_seed(bytes([salt, index]) + bytes(30))
        for salt in range(4)
        for index in range(6)
    ]
    signers = [key for key in keys if key.node_id in head.finalizers]
    version = governance.successor(
        head, members={founder: frozenset(governance.Role)}, effective_at=rng.randint(1, 10**12)
    )
    sigs = {
        key.node_id: governance.sign(history.network.network_id, version, key) for key in signers
    }
    event = governance.draft_update(version, sigs, rng.randint(1, 10**12))
    return known.add(event.sign(history.network.network_id, signers[0]))


def check_order(law: Law, history: History, rng: random.Random, where: str) -> None:
    """Law 4: any order, batching and duplication of a set gives the same state to the last byte."""
    expected = derived(history, history.events)
    digest, verdicts = group_digest(rows(expected)), rows(expected)
    for index in range(3):
        state = _fed(history, rng)
        law.check(rows(state) == verdicts, f"{where} order {index}")
        law.check(group_digest(rows(state)) == digest, f"{where} digest {index}")
    events = [*history.events]
    rng.shuffle(events)
    cut = rng.randint(0, len(events))
    grown = extend(derived(history, events[:cut]), events[cut:], governance_of(history))
    law.check(rows(grown) == verdicts, f"{where} extended")


def _fed(history: History, rng: random.Random) -> TaskState:
    """Feed a machine with the history in some order, in batches, some of it twice, looking on."""
    arrivals = [*history.events, *history.later, *rng.sample(history.events, 5)]
    rng.shuffle(arrivals)
    known = history.network.governance()
    machine = TaskMachine(history.task.event_id, known)
    while arrivals:
        batch = [arrivals.pop() for _ in range(min(len(arrivals), rng.randint(1, 9)))]
        machine.add([event for event in batch if event not in history.later])
        for event in batch:
            if event in history.later:
                machine.governance_changed(known.add(event).versions)
        if rng.random() < 0.3:
            before = rows(machine.state)
            extend(machine.state, history.events[:3])
            assert rows(machine.state) == before, "a fork disturbed its origin"
    return machine.state


def check_stratified(law: Law, history: History, rng: random.Random, where: str) -> None:
    """Law 5: brute force over the same rules, written a second time, finds the same."""
    events = subset(rng, history.events)[:NAIVE_EVENTS_MAX]
    state = derived(history, events)
    other = naive.derive(history.task.event_id, events, governance_of(history))
    by_name = {event.event_id: event for event in events}
    for name in other.effective ^ set(state.effective):
        law.check(False, f"{where} {by_name[name].kind} {name.hex()[:8]}")
    tally = {(subject, ballot.value): count for (subject, ballot), count in state.tally.items()}
    law.check(tally == other.tally(), f"{where} tally")
    law.check(state.listed == other.listed(), f"{where} lists")
    final = [outcome.candidate for outcome in state.outcomes]
    law.check(final == other.final()[:1], f"{where} finality")
    said = state.control
    found = None if said is None else (PAYLOADS[said.word].kind, said.control_no, said.reason)
    law.check(found == other.control(), f"{where} control")
    law.check(state.attempt == other.attempts() or not state.is_effective, f"{where} attempts")
    law.checks += len(events)
