"""Rows and digests: functions of the set of events, with one shape per table."""

import cbor2

from tests.support.scene import CONTINUOUS, Scene, ref, scene
from wattswarm.kernel import payloads
from wattswarm.kernel.group_digest import NO_GROUP, group_digest
from wattswarm.kernel.hashing import Context, digest
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.payloads import Ballot, ControlWord, Status, Work
from wattswarm.kernel.rows import TABLES, ColumnType, Rows, rows
from wattswarm.kernel.task import derive

TYPES = {
    ColumnType.UINT: int,
    ColumnType.INT: int,
    ColumnType.TEXT: str,
    ColumnType.BYTES: bytes,
    ColumnType.BOOL: bool,
}


def lively() -> Rows:
    """Return the rows of a task with something in every table."""
    return rows(_lively_scene().state)


def _lively_scene() -> Scene:
    stage = scene(allocator="open", commit_reveal=True, **CONTINUOUS)
    proposal = stage.claim(Work.PROPOSE)
    candidate = stage.propose(proposal, evidence=[ref(1)])
    stage.say(payloads.EvidenceAdded(candidate=candidate, evidence=(ref(2),)))
    verifying = stage.claim(Work.VERIFY, 1)
    held = stage.confirm(verifying, candidate, ref(1).digest, 1)
    result = stage.find(verifying, candidate, 1)
    commit = stage.commit(result, candidate, 1)
    reveal = stage.reveal(commit, [commit], 1)
    decision = stage.decide(candidate, [reveal], [held])
    stage.seal(candidate, decision, [0, 1])
    stage.say(
        payloads.TaskError(claim=proposal, reason="other", reason_codes=(0, 999), message="m")
    )
    stage.say(payloads.TaskClaimReleased(claim=proposal))
    stage.retry(1)
    stage.say(payloads.TaskCompletionDecided(candidate=candidate, approved=True))
    stage.say(payloads.TaskSettled(claim=proposal, receipt='{"paid": 3}'))
    stage.control(ControlWord.STOPPED, signers=[1])
    stage.complain(candidate)
    reject_a_repetition(stage, decision)
    stage.utter("TASK_LOVED", {})
    stage.end_epoch(signers=[1])
    return stage


def reject_a_repetition(stage: Scene, decision: EventId) -> None:
    """Have an answer that repeats a decision rejected."""
    repeated = stage.propose(stage.claim(Work.PROPOSE, executor="y"), reuse_of=decision)
    failed = stage.find(stage.claim(Work.VERIFY, 2), repeated, 2, status=Status.FAILED)
    commit = stage.commit(failed, repeated, 2, ballot=Ballot.REJECT)
    stage.reject_reuse(repeated, [stage.reveal(commit, [commit], 2, ballot=Ballot.REJECT)])


def test_every_table_has_rows_of_its_shape_in_the_order_of_its_key() -> None:
    made = lively()
    assert made.keys() == TABLES.keys()
    for name, table in TABLES.items():
        assert made[name], name
        width = len(table.key)
        keys = [row[:width] for row in made[name]]
        assert keys == sorted(set(keys)), name
        assert table.columns[:width] == table.key
        for row in made[name]:
            assert len(row) == len(table.of), name
            for value, column in zip(row, table.of, strict=True):
                if value is None:
                    assert column.is_nullable, (name, column.name)
                else:
                    assert type(value) is TYPES[column.type], (name, column.name)


def test_the_digest_is_over_all_tables_and_rows_as_canonical_cbor() -> None:
    made = lively()
    covered = [[name, [list(row) for row in made[name]]] for name in sorted(made)]
    assert group_digest(made) == digest(Context.DIGEST, cbor2.dumps(covered, canonical=True))


def test_any_change_of_a_row_changes_the_digest() -> None:
    made = lively()
    before = group_digest(made)
    for name in made:
        assert group_digest({**made, name: made[name][1:]}) != before


def test_events_of_other_scopes_are_in_no_digest() -> None:
    stage = _lively_scene()
    before = group_digest(rows(stage.state))
    stage.utter("TASK_LOVED", {}, scope="group:elsewhere")
    after = rows(stage.state)
    assert group_digest(after) == before
    assert any("wrong_scope" in row for row in after["verdicts"])


def test_a_task_without_its_creation_is_in_no_digest() -> None:
    stage = _lively_scene()
    state = derive(stage.task.event_id, stage.said, stage.governance)
    assert group_digest(rows(state)) == NO_GROUP


def test_the_task_row_shows_decision_and_outcome() -> None:
    (row,) = lively()["tasks"]
    shown = dict(zip(TABLES["tasks"].columns, row, strict=True))
    assert shown["standing"] == "effective"
    assert shown["is_final"] is True
    assert shown["is_disputed"] is False
    assert shown["final_candidate"] == shown["decided_candidate"]
    assert (shown["approvals"], shown["rejections"]) == (1, 0)
    assert shown["attempt"] == 2
