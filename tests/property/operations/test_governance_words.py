"""Finalizers that hear of each other late: none contradicts itself, and no chain is locked."""

import random
from collections.abc import Sequence
from typing import Final

import attrs
import pytest

from tests.support.small_governance import Finalizer, known_from
from wattswarm.kernel.drafter import drafters
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.event import Event
from wattswarm.kernel.governance import Governance, Role, genesis
from wattswarm.kernel.signature import KeyPair
from wattswarm.surface.governance import ChangeOrder, GovernanceChanged, Proposals

KEYS: Final = tuple(KeyPair.from_seed(bytes([number]) * 32) for number in range(1, 5))
RECORD: Final = genesis(KEYS[0].node_id, members={key.node_id: frozenset(Role) for key in KEYS[1:]})

STEPS: Final = 30
WORDS: Final = ("draft", "draft", "sign", "sign", "sign", "hear", "hear", "hear", "forget")


@attrs.define
class Archipelago:
    """Finalizers each of which knows what it said itself, and what it has heard."""

    finalizers: Sequence[Finalizer] = attrs.field(
        factory=lambda: [Finalizer.of(key, known_from(RECORD, KEYS[0])) for key in KEYS]
    )

    async def step(self, dice: random.Random) -> None:
        """Have one of them draft, sign something that waits, hear of another, or forget."""
        me = dice.choice(self.finalizers)
        match dice.choice(WORDS):
            case "draft":
                await self.draft(me, dice.randrange(10))
            case "sign":
                waiting = await me.reads.pending()
                assert isinstance(waiting, Proposals)
                for each in waiting.items[:1] if dice.random() < 0.5 else waiting.items[-1:]:
                    await me.writes.sign_version(each.version.version_id, dry_run=False)
            case "hear":
                self.hear(me, dice.choice(self.finalizers))
            case _:
                me.forget(known_from(RECORD, KEYS[0]))

    async def draft(self, me: Finalizer, number: int) -> None:
        """Have a finalizer draft, and supersede what it knows of."""
        order = ChangeOrder(params={"a": number}, out_of_turn=True)
        answer = await me.writes.change_governance(order)
        if isinstance(answer, Rejection) and answer.code == "already_proposed":
            await me.writes.change_governance(attrs.evolve(order, supersede=True))

    def hear(self, me: Finalizer, other: Finalizer) -> None:
        """Take in what another said itself."""
        for event in said(other):
            me.known.add(event)

    def gather(self) -> None:
        """Have everybody hear everything."""
        for me in self.finalizers:
            for other in self.finalizers:
                self.hear(me, other)


def said(finalizer: Finalizer) -> Sequence[Event]:
    """Return the events in a finalizer's own log."""
    return [row.event() for row in finalizer.log.writer.log.rows]


@pytest.mark.parametrize("seed", range(30))
async def test_late_news_makes_nobody_contradict_himself_and_locks_no_chain(seed: int) -> None:
    world, dice = Archipelago(), random.Random(seed)
    for _ in range(STEPS):
        await world.step(dice)
    world.gather()
    assert len({_seen(each.known) for each in world.finalizers}) == 1
    known = world.finalizers[0].known
    assert known.equivocators == ()
    await _go_on(world)


def _seen(known: Governance) -> str:
    return repr((known.rows(), known.standings()))


async def _go_on(world: Archipelago) -> None:
    """From wherever they are, one draft and everybody's signature moves the chain."""
    known = world.finalizers[0].known
    head = known.head()
    assert head is not None
    first = drafters(head.id, head.finalizers)[0]
    me = next(each for each in world.finalizers if each.key.node_id == first)
    is_waiting = bool(known.proposals(head.id))
    order = ChangeOrder(params={"b": 1}, supersede=is_waiting)
    made = await me.writes.change_governance(order)
    assert isinstance(made, GovernanceChanged), made
    world.gather()
    for each in world.finalizers:
        await each.writes.sign_version(made.version.version_id, dry_run=False)
        world.gather()
    after = known.head()
    assert after is not None
    assert after.id.hex() == made.version.version_id
    assert known.equivocators == ()
