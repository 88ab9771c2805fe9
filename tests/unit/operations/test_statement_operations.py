"""Statements as operators make and read them, with a quorum of several nodes."""

from typing import Any

import pytest

from tests.support.small_governance import KEYS, Clock, Council, Finalizer, known_from
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.governance import Governance
from wattswarm.kernel.ids import NodeId
from wattswarm.kernel.signature import KeyPair
from wattswarm.surface.governance import ChangeOrder
from wattswarm.surface.statement import (
    EventOrder,
    PardonOrder,
    PenaltyOrder,
    Stated,
    StatementView,
)

NAME = "e1" * 32
UNKNOWN = "ab" * 32
STRANGER = "5e" * 32
WINDOW = {"dated_from": "2026-01-01T00:00:00Z", "dated_until": "2027-01-01T01:00:00+01:00"}


@pytest.fixture
def council() -> Council:
    return Council()


async def revoke(by: Finalizer, event: str = NAME, **order: Any) -> Stated:
    answer = await by.states.revoke_event(EventOrder(event=event, **order))
    assert isinstance(answer, Stated), answer
    return answer


async def penalize(by: Finalizer, node: str = STRANGER, **order: Any) -> Stated:
    answer = await by.states.penalize_node(PenaltyOrder(node=node, **order))
    assert isinstance(answer, Stated), answer
    return answer


async def listed(by: Finalizer) -> list[StatementView]:
    page = await by.reads.statements(cursor=None, limit=10)
    assert not isinstance(page, Rejection)
    return list(page.items)


def said(answer: Stated) -> StatementView:
    assert answer.statement is not None
    return answer.statement


async def test_a_revocation_waits_for_a_second_finalizer_and_then_holds(council: Council) -> None:
    first = await revoke(council.me, reason="wrong")
    assert (said(first).state, said(first).missing, first.seq) == ("waits", 1, 1)
    (waiting,) = await listed(council.other)
    assert (waiting.word, waiting.reason, waiting.is_signed_here) == ("revoked", "wrong", False)
    others = {each.key.node_id.hex() for each in council.finalizers[1:]}
    assert set(waiting.awaited) == others

    shown = await revoke(council.other, dry_run=True)
    assert (said(shown).state, shown.is_dry_run, shown.seq) == ("holds", True, None)
    assert (await listed(council.me))[0].state == "waits"
    second = await revoke(council.other)
    assert (said(second).state, said(second).reason) == ("holds", "wrong")
    (holds,) = await listed(council.me)
    assert (holds.state, holds.awaited, len(holds.signers)) == ("holds", (), 2)
    again = await revoke(council.finalizers[2])
    assert (again.already, again.seq, said(again).state) == (True, None, "holds")


async def test_what_is_restored_holds_in_the_place_of_what_was_revoked(council: Council) -> None:
    for by in council.finalizers[:2]:
        await revoke(by)
    for by in council.finalizers[:2]:
        answer = await by.states.restore_event(EventOrder(event=NAME, reason="after all"))
        assert isinstance(answer, Stated)
    (holds,) = await listed(council.me)
    assert (holds.word, holds.serial, holds.reason) == ("restored", 2, "after all")


async def test_nothing_is_restored_of_which_nothing_was_said(council: Council) -> None:
    answer = await council.me.states.restore_event(EventOrder(event=NAME))
    assert isinstance(answer, Stated)
    assert (answer.statement, answer.already, answer.seq) == (None, True, None)
    assert await listed(council.me) == []


async def test_an_event_that_is_not_in_the_log_is_revoked_by_its_whole_id(
    council: Council,
) -> None:
    assert said(await revoke(council.me, UNKNOWN)).target == UNKNOWN


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ("e1e1", ""),
        ("e1", "ambiguous_name"),
        ("ab", "not_found"),
        ("xyz", "not_found"),
        ("", "not_found"),
        ("e3", "not_revocable"),
    ],
)
async def test_an_event_is_named_by_a_prefix(council: Council, event: str, code: str) -> None:
    answer = await council.me.states.revoke_event(EventOrder(event=event))
    assert (answer.code if isinstance(answer, Rejection) else "") == code


async def test_a_node_is_penalized_for_a_time_and_pardoned(council: Council) -> None:
    first = said(await penalize(council.me, **WINDOW))
    assert (first.dated_from, first.dated_until, first.kept) == (
        "2026-01-01T00:00:00.000Z",
        "2027-01-01T00:00:00.000Z",
        None,
    )
    await penalize(council.other, **WINDOW)
    assert council.known.bars(NodeId(bytes.fromhex(STRANGER)), Clock().wall_ms())
    for by in council.finalizers[:2]:
        answer = await by.states.pardon_node(PardonOrder(node=STRANGER))
        assert isinstance(answer, Stated)
    assert [each.word for each in await listed(council.me)] == ["pardoned"]


async def test_who_joins_signs_what_was_begun_word_for_word(council: Council) -> None:
    first = said(await penalize(council.me, cut=True, keep=("e3", UNKNOWN), reason="lies"))
    assert first.kept == (UNKNOWN, "e3" * 32)
    joined = await council.other.states.sign_statement(first.statement_id[:8], dry_run=False)
    assert isinstance(joined, Stated)
    assert said(joined).statement_id == first.statement_id
    assert said(joined).state == "holds"
    begun = said(await revoke(council.me, reason=""))
    shown = await council.other.states.sign_statement(begun.statement_id, dry_run=True)
    assert isinstance(shown, Stated)
    assert (said(shown).statement_id, said(shown).state) == (begun.statement_id, "holds")


async def test_what_another_version_left_without_a_quorum_is_not_listed(council: Council) -> None:
    await revoke(council.me)
    order = ChangeOrder(params={"admission": "closed", "a": 1})
    changed = await council.me.writes.change_governance(order)
    assert not isinstance(changed, Rejection)
    await council.other.writes.sign_version(changed.version.version_id, dry_run=False)
    assert await listed(council.me) == []


async def test_statements_are_listed_by_pages(council: Council) -> None:
    for number in range(5):
        await revoke(council.me, f"{number:064x}")
    seen: list[str] = []
    cursor = None
    while True:
        page = await council.me.reads.statements(cursor=cursor, limit=2)
        assert not isinstance(page, Rejection)
        seen += [each.target for each in page.items]
        if (cursor := page.next) is None:
            break
    assert seen == [f"{number:064x}" for number in range(5)]
    refused = await council.me.reads.statements(cursor="x", limit=2)
    assert isinstance(refused, Rejection)
    assert refused.code == "bad_parameter"


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({}, "bad_field"),
        ({"dated_from": WINDOW["dated_from"]}, "bad_field"),
        ({**WINDOW, "cut": True}, "bad_field"),
        ({**WINDOW, "keep": ("e3",)}, "bad_field"),
        ({**WINDOW, "dated_until": "2025-01-01T00:00:00Z"}, "bad_field"),
        ({**WINDOW, "dated_until": "soon"}, "bad_field"),
        ({"cut": True, "keep": ("e1",)}, "ambiguous_name"),
        ({"cut": True, "keep": ("ab",)}, "not_found"),
        ({"cut": True, "node": "ff"}, "not_found"),
        ({"cut": True, "reason": "x" * 5_000}, "bad_field"),
        ({"cut": True, "node": "SELF"}, "not_oneself"),
    ],
)
async def test_a_penalty_that_cannot_be_is_refused(
    council: Council, order: dict[str, Any], code: str
) -> None:
    me = council.me.key.node_id.hex()
    order = {"node": STRANGER, **order}
    order["node"] = me if order["node"] == "SELF" else order["node"]
    answer = await council.me.states.penalize_node(PenaltyOrder(**order))
    assert isinstance(answer, Rejection)
    assert answer.code == code, answer
    assert not council.me.log.writer.log.rows


async def test_who_is_no_finalizer_states_nothing(council: Council) -> None:
    outsider = Finalizer.of(KeyPair.from_seed(b"\x63" * 32), council.known)
    nobody = Finalizer.of(KEYS[0], Governance("net:" + "0" * 64))
    codes: list[str] = []
    for by in (outsider, nobody):
        answer = await by.states.revoke_event(EventOrder(event=NAME))
        assert isinstance(answer, Rejection)
        codes.append(answer.code)
    assert codes == ["missing_role", "no_governance"]


async def test_a_penalized_finalizer_changes_no_governance(council: Council) -> None:
    third = council.finalizers[2]
    for by in council.finalizers[:2]:
        await penalize(by, third.key.node_id.hex()[:8], cut=True)
    answers = (
        await third.writes.change_governance(ChangeOrder(threshold=3, out_of_turn=True)),
        await third.writes.admit_node(STRANGER, dry_run=False),
    )
    assert [each.code for each in answers if isinstance(each, Rejection)] == ["barred"] * 2
    assert known_from(council.record, KEYS[0]).head() == council.known.head()
