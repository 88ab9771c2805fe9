"""Laws of single rules: leases only grow, and nothing that anybody writes makes derivation fail."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.laws.world import START_MS
from tests.support.scene import LEASE_MS, Scene, scene
from wattswarm.kernel import canonical, payloads
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.codes import CODES
from wattswarm.kernel.group_digest import group_digest
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.payloads import Work
from wattswarm.kernel.rows import rows
from wattswarm.kernel.verdict import Ignored, explain

STAGE = scene()


def fresh() -> Scene:
    """Return a stage on which nothing was said; one network serves all examples."""
    return Scene(STAGE.network, STAGE.cast, STAGE.governance, STAGE.task)


# --- leases ---------------------------------------------------------------------------------------

renewals = st.lists(
    st.tuples(st.integers(0, 5), st.integers(1, 90_000), st.integers(-1_000, 40_000)), max_size=12
)
"""For each: which earlier one it names, how long after the claim, and how long it asks for."""


def renew(stage: Scene, claim: EventId, wishes: Sequence[tuple[int, int, int]]) -> None:
    """Say some renewals, each naming the claim or an earlier one of them."""
    names = [claim]
    start = stage.said[0].created_at
    for before, after_ms, for_ms in wishes:
        payload = payloads.TaskClaimRenewed(
            claim=claim,
            previous=names[before % len(names)],
            lease_until=max(0, start + after_ms + for_ms),
        )
        names.append(stage.say(payload, at_ms=start + after_ms))


@settings(max_examples=60, deadline=None)
@given(some=renewals, one=renewals)
def test_more_renewals_never_shorten_a_lease(
    some: list[tuple[int, int, int]], one: list[tuple[int, int, int]]
) -> None:
    stage = fresh()
    claim = stage.claim(Work.PROPOSE, at_ms=START_MS + 1_000)
    renew(stage, claim, some)
    before = stage.state.leases[claim]
    renew(stage, claim, one)
    after = stage.state.leases[claim]
    assert after.end >= before.end
    assert after.renewals >= before.renewals
    terms = stage.state.terms
    assert after.end <= START_MS + 1_000 + terms.time_ms
    assert after.end >= START_MS + 1_000 + min(LEASE_MS, terms.lease_ms)


# --- absurd events --------------------------------------------------------------------------------

scalars = st.one_of(
    st.booleans(),
    st.integers(0, 2**53 - 1),
    st.text(max_size=8).filter(lambda text: "\0" not in text),
    st.binary(max_size=4),
    st.just(bytes(32)),
    st.just(STAGE.task.event_id),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["digest", "size_bytes", "mime", "a"]), inner, max_size=3),
    ),
    max_leaves=6,
)
FIELDS = [
    "claim",
    "candidate",
    "result",
    "commit",
    "vote",
    "salt",
    "seen",
    "reveals",
    "confirmations",
    "pin",
    "decision",
    "sigs",
    "role",
    "attempt",
    "executor",
    "lease_until",
    "previous",
    "approved",
    "output",
    "evidence",
    "digest",
    "proof",
    "status",
    "score_bp",
    "reason_codes",
    "provider",
    "model",
    "from_attempt",
    "run_at",
    "reason",
    "message",
    "contract",
    "surprise",
]
absurd = st.tuples(
    st.sampled_from(sorted(payloads.KINDS - {"TASK_CREATED"} | {"GOVERNANCE_UPDATED", "X"})),
    st.dictionaries(st.sampled_from(FIELDS), values, max_size=6),
    st.integers(0, 2**48 - 1),
    st.integers(0, 3),
)


@settings(max_examples=150, deadline=None)
@given(said=st.lists(absurd, max_size=6))
def test_no_event_however_absurd_makes_derivation_fail(
    said: list[tuple[str, dict[str, Value], int, int]],
) -> None:
    stage = fresh()
    claim = stage.claim(Work.PROPOSE)
    for kind, fields, at_ms, epoch in said:
        named = {key: claim if value == b"" else value for key, value in fields.items()}
        canonical.check(named)
        stage.utter(kind, named, at_ms=at_ms, epoch=epoch)
    state = stage.state
    by_name = {event.event_id: event for event in stage.said}
    for name, verdict in state.verdicts.items():
        assert explain(verdict, by_name[name])
        if isinstance(verdict, Ignored):
            assert verdict.code in CODES
    assert len(state.effective) + len(state.pending) == len({*by_name, stage.task.event_id})
    assert group_digest(rows(state))
