"""Laws 1 to 5: what derivation makes of sets, subsets and orders of events.

Source: least fixpoints of monotone operators (Tarski 1955); CALM (Hellerstein and Alvaro 2020) for
why a monotone reading needs no order.
"""

import random
from collections.abc import Iterable, Sequence

from tests.laws import naive, naive_governance
from tests.laws.arrivals import Arrivals
from tests.laws.histories import History
from tests.laws.report import Law
from wattswarm.kernel import governance
from wattswarm.kernel.event import Draft, Event
from wattswarm.kernel.governance import Governance, Role, Version
from wattswarm.kernel.governance.statement import Statement, statement_message
from wattswarm.kernel.group_digest import group_digest
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.payloads.control import PAYLOADS
from wattswarm.kernel.payloads.statement import EventRevoked, NodePenalized, StatementState
from wattswarm.kernel.rows import rows
from wattswarm.kernel.signature import KeyPair
from wattswarm.kernel.state import TaskState
from wattswarm.kernel.task import derive, extend

NAIVE_EVENTS_MAX = 90


def governance_of(history: History, control: Iterable[Event] | None = None) -> Governance:
    """Return governance that knows the genesis and these later events, by default all."""
    known = history.network.governance()
    for event in history.control if control is None else control:
        known.add(event)
    return known


def derived(
    history: History, events: Iterable[Event], control: Iterable[Event] | None = None
) -> TaskState:
    """Return what a set of a history's events comes to."""
    return derive(history.task.event_id, events, governance_of(history, control))


def subset(rng: random.Random, events: Sequence[Event]) -> list[Event]:
    """Draw a subset: of any size, mostly with the task's creation."""
    share = rng.random()
    return [event for event in events if rng.random() < share or event is events[0]]


def check_superset(law: Law, history: History, rng: random.Random, where: str) -> None:
    """Law 1: what is effective in a set is effective in every superset, governance included.

    What is lost depends on something that a statement with a quorum names: all the rest would be
    effective if that had never been said, and so it must be effective still.
    """
    whole = derived(history, history.events)
    named = _named(history)
    for _ in range(3):
        events = subset(rng, history.events)
        control = subset(rng, history.control) if history.control else []
        part = derived(history, events, control)
        rest = [event for event in events if event.event_id not in named]
        unnamed = derived(history, rest, [each for each in control if each in history.later])
        for name in unnamed.effective:
            law.check(name in whole.effective, f"{where} {name.hex()[:8]}")
        for counted in unnamed.counted:
            law.check(counted in whole.counted, f"{where} count {counted.hex()[:8]}")
        for name, kind in part.effective.items():
            if kind in naive.FOUNDED:
                law.check(name in whole.effective, f"{where} {kind} {name.hex()[:8]}")


def _named(history: History) -> frozenset[EventId]:
    """Return the events that statements with a quorum put out of effect, or their authors."""
    heard = [history.network.carrier, *history.control]
    said = naive_governance.read(history.network.network_id, heard)
    return frozenset(
        event.event_id
        for event in history.events
        if said.voids(event, history.version.id) and event.kind not in naive.FOUNDED
    )


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


# --- irrevocable ----------------------------------------------------------------------------------


def check_irrevocable(law: Law, history: History, rng: random.Random, where: str) -> None:
    """Law 3: what is final stays final, whatever is added, while few enough finalizers lie.

    Added are governance and statements of full quorums as well, and carriers anew.
    """
    known = governance_of(history)
    hostile = [*_rewrapped(history, rng), *_further_control(history, known, rng)]
    events = [*history.events, *history.control, *hostile]
    rng.shuffle(events)
    arrivals = Arrivals(history.task.event_id, history.network.governance())
    final: dict[tuple[int, bytes], bytes] = {}
    for event in events:
        arrivals.take([event])
        outcomes = {outcome.label: outcome for outcome in arrivals.state.outcomes}
        for label, candidate in final.items():
            found = outcomes.get(label)
            is_same = found is not None and found.candidate == candidate and not found.is_disputed
            law.check(is_same, f"{where} epoch {label[0]}")
        final = {label: outcome.candidate for label, outcome in outcomes.items()}


def _rewrapped(history: History, rng: random.Random) -> list[Event]:
    """Return carriers of the same signatures by others, at other dates and in other epochs."""
    outsider = KeyPair.from_seed(rng.randbytes(32))
    made: list[Event] = []
    for event in history.events:
        if event.kind not in naive.FOUNDED or rng.random() < 0.5:
            continue
        draft = Draft(
            kind=event.kind,
            scope=event.scope,
            lane_class=event.lane_class,
            task_id=event.task_id,
            epoch=rng.choice((event.epoch, event.epoch, event.epoch + 1)),
            created_at=rng.choice((0, event.created_at, event.created_at + 10**9)),
            payload=event.payload,
        )
        made.append(draft.sign(history.network.network_id, outsider))
    return made


def _further_control(history: History, known: Governance, rng: random.Random) -> list[Event]:
    """Return further versions and statements, signed by all finalizers there are.

    The founder alone is left in the version; the statements are about the task, what made it final,
    and the finalizers.
    """
    head = known.head()
    assert head is not None, "a history's governance is known"
    founder = history.network.carrier.author
    version = governance.successor(
        head, members={founder: frozenset(Role)}, effective_at=rng.randint(1, 10**12)
    )
    signers = [key for key in history.cast if key.node_id in head.finalizers]
    network_id = history.network.network_id
    sigs = {key.node_id: governance.sign(network_id, version, key) for key in signers}
    update = governance.draft_update(version, sigs, rng.randint(1, 10**12))
    named = [each for each in history.events if each.kind in naive.FOUNDED or rng.random() < 0.2]
    said = [_revocation(head, each.event_id) for each in (history.task, *named)]
    said += [_penalty(head, key, rng) for key in rng.sample(history.cast, 2)]
    return [
        update.sign(network_id, rng.choice(history.cast)),
        *(_carried(network_id, each, signers) for each in said),
    ]


def _revocation(version: Version, target: EventId) -> Statement:
    return Statement(
        kind=EventRevoked.kind,
        target=target,
        serial=99,
        state=StatementState.REVOKED,
        governance=version.id,
        reason="",
    )


def _penalty(version: Version, of: KeyPair, rng: random.Random) -> Statement:
    return Statement(
        kind=NodePenalized.kind,
        target=of.node_id,
        serial=99,
        state=StatementState.REVOKED,
        governance=version.id,
        reason="",
        **rng.choice(({"keep": frozenset[EventId]()}, {"window": (0, 10**14)})),
    )


def _carried(network_id: str, said: Statement, signers: Sequence[KeyPair]) -> Event:
    signed = statement_message(network_id, said)
    sigs = {key.node_id: key.sign(signed) for key in signers}
    return governance.draft_statement(said, sigs, 1).sign(network_id, signers[0])


# --- order ----------------------------------------------------------------------------------------


def check_order(law: Law, history: History, rng: random.Random, where: str) -> None:
    """Law 4: any order, batching and duplication of a set gives the same state to the last byte."""
    expected = derived(history, history.events)
    digest, tables = group_digest(rows(expected)), rows(expected)
    for index in range(3):
        state = _fed(history, rng)
        law.check(rows(state) == tables, f"{where} order {index}")
        law.check(group_digest(rows(state)) == digest, f"{where} digest {index}")
    events = [*history.events]
    rng.shuffle(events)
    cut = rng.randint(0, len(events))
    grown = extend(derived(history, events[:cut]), events[cut:], governance_of(history))
    law.check(rows(grown) == tables, f"{where} extended")


def _fed(history: History, rng: random.Random) -> TaskState:
    """Feed a machine with the history in some order, in batches, some of it twice, looking on."""
    waiting = [*history.events, *history.control, *rng.sample(history.events, 5)]
    rng.shuffle(waiting)
    arrivals = Arrivals(history.task.event_id, history.network.governance())
    while waiting:
        arrivals.take([waiting.pop() for _ in range(min(len(waiting), rng.randint(1, 9)))])
        if rng.random() < 0.3:
            before = rows(arrivals.state)
            extend(arrivals.state, history.events[:3], arrivals.governance)
            assert rows(arrivals.state) == before, "a fork disturbed its origin"
    return arrivals.state


# --- stratified -----------------------------------------------------------------------------------


def check_stratified(law: Law, history: History, rng: random.Random, where: str) -> None:
    """Law 5: brute force over the same rules, written a second time, finds the same."""
    events = subset(rng, history.events)[:NAIVE_EVENTS_MAX]
    state = derived(history, events)
    other = naive.derive(
        history.task.event_id,
        history.network.network_id,
        events,
        [history.network.carrier, *history.control],
    )
    by_name = {event.event_id: event for event in events}
    for name in other.effective ^ set(state.effective):
        law.check(False, f"{where} {by_name[name].kind} {name.hex()[:8]}")
    tally = {(subject, ballot.value): count for (subject, ballot), count in state.tally.items()}
    law.check(tally == other.tally(), f"{where} tally")
    law.check(state.listed == other.listed(), f"{where} lists")
    final = {outcome.label: outcome.candidate for outcome in state.outcomes}
    law.check(final == other.final(), f"{where} finality")
    said = state.control
    found = None if said is None else (PAYLOADS[said.word].kind, said.control_no, said.reason)
    law.check(found == other.control(), f"{where} control")
    if state.label is not None:
        law.check(state.label == other.newest(), f"{where} label")
        law.check(state.ends_at == other.expires_at(state.label.epoch), f"{where} end")
        for label, attempt in state.attempts.items():
            law.check(attempt == other.attempts(label), f"{where} attempts {label.epoch}")
            law.check(state.opened_at(label) == other.opened_at(label), f"{where} opening")
    law.checks += len(events)
