"""Governance as operators read and change it, with a quorum of several nodes."""

from collections.abc import Mapping
from typing import Any

import attrs
import pytest

from tests.support.small_governance import KEYS, RECORD, Council, Finalizer, known_from
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.governance import Governance
from wattswarm.kernel.policy import BUILTIN
from wattswarm.surface.governance import ChangeOrder, GovernanceChanged

NODES = [key.node_id for key in KEYS]
STRANGER = "5e" * 32


@pytest.fixture
def council() -> Council:
    return Council()


async def change(by: Finalizer, **order: Any) -> GovernanceChanged:
    """Order a change that is made."""
    answer = await by.writes.change_governance(ChangeOrder(**order))
    assert isinstance(answer, GovernanceChanged), answer
    return answer


async def refusal(by: Finalizer, **order: Any) -> Rejection:
    """Order a change that is refused."""
    answer = await by.writes.change_governance(ChangeOrder(**order))
    assert isinstance(answer, Rejection), answer
    assert not by.log.writer.log.rows
    return answer


async def test_a_change_waits_for_a_second_finalizer_and_then_governs(council: Council) -> None:
    made = await change(council.me, grant={STRANGER: ["verifier"]})
    assert (made.missing, made.seq, made.version.is_valid) == (1, 1, False)
    (line,) = made.changes
    assert (line.path, line.before, line.after) == (f"members.{STRANGER}", None, ("verifier",))

    waiting = await council.other.reads.pending()
    assert not isinstance(waiting, Rejection)
    (proposal,) = waiting.items
    assert (proposal.missing, proposal.is_signed_here) == (1, False)
    assert proposal.changes == made.changes

    name = proposal.version.version_id[:8]
    looked = await council.other.writes.sign_version(name, dry_run=True)
    assert not isinstance(looked, Rejection)
    assert (looked.is_dry_run, looked.seq, looked.missing) == (True, None, 0)
    assert council.known.head() == RECORD
    signed = await council.other.writes.sign_version(name, dry_run=False)
    assert not isinstance(signed, Rejection)
    assert (signed.version.is_valid, signed.version.is_head, signed.already) == (True, True, False)
    again = await council.me.writes.sign_version(name, dry_run=False)
    assert not isinstance(again, Rejection)
    assert again.already
    assert STRANGER in {node.hex() for node in council.known.admitted}


async def test_a_dry_run_shows_what_would_be_and_signs_nothing(council: Council) -> None:
    shown = await change(council.me, threshold=3, params={"a": 1}, dry_run=True)
    assert [line.path for line in shown.changes] == ["params.a", "threshold"]
    assert shown.concerns == (
        "all 3 finalizers have to sign: nothing is final while one is away",
        "no rule of this program reads the parameter a",
    )
    assert (shown.seq, shown.is_dry_run) == (None, True)
    assert council.known.proposals(RECORD.id) == ()
    done = await change(council.me, threshold=3, params={"a": 1})
    assert done.version.version_id == shown.version.version_id


async def test_saying_what_is_so_signs_nothing(council: Council) -> None:
    same = await change(council.me, grant={NODES[1].hex(): ["verifier"]}, threshold=2)
    assert (same.already, same.seq, same.changes) == (True, None, ())
    assert same.version.version_id == RECORD.id.hex()


async def test_the_history_tells_what_each_version_changed(council: Council) -> None:
    for number in (1, 2, 3):
        made = await change(council.me, params={"a": number}, out_of_turn=True)
        await council.other.writes.sign_version(made.version.version_id, dry_run=False)
    seen: list[tuple[int, int]] = []
    cursor = None
    while True:
        page = await council.me.reads.versions(cursor=cursor, limit=2)
        assert not isinstance(page, Rejection)
        seen += [(each.number, each.signers) for each in page.items]
        if (cursor := page.next) is None:
            break
    assert seen == [(3, 2), (2, 2), (1, 2), (0, 0)]
    first = await council.me.reads.versions(cursor=None, limit=1)
    assert not isinstance(first, Rejection)
    (line,) = first.items[0].changes
    assert (line.path, line.before, line.after) == ("params.a", 2, 3)
    assert (first.items[0].is_head, first.items[0].is_in_effect) == (True, True)


async def test_a_version_is_found_by_number_id_or_prefix(council: Council) -> None:
    for name in (None, "0", RECORD.id.hex(), RECORD.id.hex()[:6]):
        found = await council.me.reads.governance(name)
        assert not isinstance(found, Rejection)
        assert found.version.version_id == RECORD.id.hex()
    for name in ("7", "xyz", "ff" * 32):
        missing = await council.me.reads.governance(name)
        assert isinstance(missing, Rejection)
        assert missing.code == "not_found"


async def test_a_page_that_nobody_gave_is_refused(council: Council) -> None:
    refused = await council.me.reads.versions(cursor="x", limit=1)
    assert isinstance(refused, Rejection)
    assert refused.code == "bad_parameter"


async def test_a_log_without_a_beginning_has_no_governance() -> None:
    nobody = Finalizer.of(KEYS[0], Governance("net:" + "0" * 64))
    answers = (
        await nobody.reads.governance(None),
        await nobody.reads.pending(),
        await nobody.writes.change_governance(ChangeOrder(threshold=1)),
        await nobody.writes.admit_node(STRANGER, dry_run=False),
    )
    assert [each.code for each in answers if isinstance(each, Rejection)] == ["no_governance"] * 4
    page = await nobody.reads.versions(cursor=None, limit=5)
    assert not isinstance(page, Rejection)
    assert page.items == ()


async def test_who_heard_of_nothing_is_kept_from_contradicting_itself(council: Council) -> None:
    await change(council.me, params={"a": 1})
    forgetful = Finalizer.of(council.me.key, known_from(RECORD, KEYS[0]))
    forgetful.writes.pen = attrs.evolve(forgetful.writes.pen, append=council.me.log.append)
    answer = await forgetful.writes.change_governance(ChangeOrder(params={"a": 2}))
    assert isinstance(answer, Rejection)
    assert answer.code == "lock_refused"


async def test_a_node_is_admitted_by_one_finalizer(council: Council) -> None:
    looked = await council.me.writes.admit_node(STRANGER, dry_run=True)
    assert not isinstance(looked, Rejection)
    assert (looked.seq, looked.already) == (None, False)
    done = await council.other.writes.admit_node(STRANGER, dry_run=False)
    assert not isinstance(done, Rejection)
    assert (done.seq, done.already) == (1, False)
    again = await council.me.writes.admit_node(STRANGER[:6], dry_run=False)
    assert not isinstance(again, Rejection)
    assert (again.node_id, again.already) == (STRANGER, True)


# --- orders ---------------------------------------------------------------------------------------


async def test_a_policy_of_this_program_is_named_by_its_id(council: Council) -> None:
    made = await change(
        council.me, unregister=["vp.crosscheck.v1", "vp.schema_only.v1/1"], dry_run=True
    )
    assert [each.id for each in made.version.policies] == ["vp.schema_thresholds.v1"]
    name = f"vp.mine.v1/2/{'ab' * 32}"
    more = await change(council.me, register=[name, "vp.crosscheck.v1"], dry_run=True)
    assert [each.is_known for each in more.version.policies] == [True, False, True, True]
    assert len(more.version.policies) == len(BUILTIN) + 1


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({"grant": {"xyz": ["verifier"]}}, "not_found"),
        ({"grant": {"ff": ["verifier"]}}, "not_found"),
        ({"grant": {"": ["verifier"]}}, "not_found"),
        ({"grant": {STRANGER: []}}, "bad_field"),
        ({"revoke": {STRANGER: ["verifier"]}}, "not_a_member"),
        ({"register": ["vp.mine.v1"]}, "bad_field"),
        ({"register": ["vp.mine.v1/0/" + "ab" * 32]}, "bad_field"),
        ({"register": ["vp.mine.v1/1/abc"]}, "bad_field"),
        ({"register": ["no id/1/" + "ab" * 32]}, "bad_field"),
        ({"register": ["vp.schema_only.v1/9"]}, "bad_field"),
        ({"unregister": ["vp.mine.v1"]}, "unknown_policy"),
        ({"unregister": ["vp.schema_only.v1/2"]}, "unknown_policy"),
        ({"effective_at": "tomorrow", "threshold": 3}, "bad_field"),
        ({"effective_at": "2026-11-25T16:00:00", "threshold": 3}, "bad_field"),
        ({"effective_at": "0001-01-01T00:00:00Z", "threshold": 3}, "bad_field"),
        ({"effective_at": "2020-01-01T00:00:00Z", "threshold": 3}, "effective_too_early"),
        ({"effective_in_ms": -1, "threshold": 3}, "bad_field"),
        ({"effective_in_ms": 1 << 60, "threshold": 3}, "bad_field"),
        ({"effective_in_ms": 1, "effective_at": "2030-01-01T00:00:00Z"}, "bad_field"),
        ({"threshold": 1}, "bad_version"),
        ({"threshold": -1}, "bad_value"),
        ({"params": {"a": -1}}, "bad_field"),
    ],
)
async def test_an_order_that_makes_no_sense_is_refused(
    council: Council, order: Mapping[str, Any], code: str
) -> None:
    assert (await refusal(council.me, **order)).code == code


async def test_a_date_and_a_span_say_when_a_version_takes_effect(council: Council) -> None:
    dated = await change(
        council.me, threshold=3, effective_at="2027-01-01T01:00:00+01:00", dry_run=True
    )
    assert dated.version.effective_at == "2027-01-01T00:00:00.000Z"
    assert not dated.version.is_in_effect
    spanned = await change(council.me, threshold=3, effective_in_ms=60_000, dry_run=True)
    assert spanned.version.effective_at == "2026-05-28T20:27:40.000Z"
