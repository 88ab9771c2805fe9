"""Laws of control words: a function of the set of carriers, and what stands follows the order."""

from collections.abc import Sequence

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.laws.world import START_MS
from tests.support.scene import Scene, scene
from wattswarm.kernel.payloads import ControlWord
from wattswarm.kernel.records import Control
from wattswarm.kernel.rows import rows
from wattswarm.kernel.task import derive
from wattswarm.kernel.views import state_word

STAGE = scene(3, threshold=2)


@attrs.frozen
class Carrier:
    """An event with a control word: who says it, and who signed."""

    word: ControlWord
    number: int
    by: int
    signers: frozenset[int]

    @property
    def content(self) -> tuple[int, ControlWord]:
        """What is signed."""
        return self.number, self.word


carriers = st.lists(
    st.builds(
        Carrier,
        word=st.sampled_from(ControlWord),
        number=st.integers(0, 2),
        by=st.integers(0, 2),
        signers=st.frozensets(st.integers(0, 2), max_size=2),
    ),
    max_size=8,
)


def said(some: Sequence[Carrier]) -> Scene:
    """Return a stage on which all of this was said; one network serves all examples."""
    stage = Scene(STAGE.network, STAGE.cast, STAGE.governance, STAGE.task)
    for each in some:
        stage.control(each.word, each.number, sorted(each.signers), by=each.by)
    return stage


def expected(some: Sequence[Carrier]) -> str:
    """Return the word for the task, worked out from the rule as people are told it."""
    signers: dict[tuple[int, ControlWord], set[int]] = {}
    for each in some:
        signers.setdefault(each.content, set()).update(each.signers)
    backed = {content for content, who in signers.items() if len(who) >= 2}
    if any(word is ControlWord.KILLED for _, word in backed):
        return "killed"
    own = {each.content for each in some if each.by == 0 and each.word is not ControlWord.KILLED}
    strict = [ControlWord.RESUMED, ControlWord.SUSPENDED, ControlWord.STOPPED]
    found = max(
        backed or own, key=lambda each: (each[0], strict.index(each[1])), default=(0, strict[0])
    )
    return "open" if found[1] is ControlWord.RESUMED else found[1].value


@settings(max_examples=150, deadline=None)
@given(some=carriers)
def test_what_stands_is_what_the_rule_says(some: list[Carrier]) -> None:
    assert state_word(said(some).state, START_MS) == expected(some)


@settings(max_examples=60, deadline=None)
@given(some=carriers, data=st.data())
def test_carriers_in_any_order_come_to_the_same(some: list[Carrier], data: st.DataObject) -> None:
    stage = said(some)
    events = data.draw(st.permutations([stage.task, *stage.said]))
    assert rows(derive(stage.task.event_id, events, stage.governance)) == rows(stage.state)


@settings(max_examples=60, deadline=None)
@given(some=carriers, others=carriers)
def test_more_carriers_take_no_effect_from_any(some: list[Carrier], others: list[Carrier]) -> None:
    few, many = said(some), said([*some, *others])
    assert few.state.effective.keys() <= many.state.effective.keys()
    kill = Control(ControlWord.KILLED, 1, "")
    assert few.state.is_backed(kill) <= many.state.is_backed(kill)
