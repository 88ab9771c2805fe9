"""Changing governance: who may, when, what it comes to, and what is refused."""

from collections.abc import Mapping
from typing import Any

import attrs
import pytest

from wattswarm.kernel import decide
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.decide import Amendment, Motion
from wattswarm.kernel.drafter import drafters
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.governance import (
    Admission,
    Governance,
    Role,
    Version,
    draft_update,
    genesis,
    local_genesis,
    network_id_of,
)
from wattswarm.kernel.ids import Digest, NodeId
from wattswarm.kernel.lock import Lock, governance_lock, opened_at
from wattswarm.kernel.policy import CROSSCHECK, SCHEMA_ONLY, PolicyName
from wattswarm.kernel.signature import KeyPair

NOW = 10_000
KEYS = [KeyPair.from_seed(bytes([number]) * 32) for number in range(1, 6)]
NODES = [key.node_id for key in KEYS]
STRANGER = NodeId(b"s" * 32)
EVERYTHING = frozenset(Role)
SETTLED = Amendment(params={"settle_ms": 5})


@attrs.define
class Council:
    """Three finalizers of one network, two of whom have to sign."""

    record: Version
    known: Governance

    @classmethod
    def of(cls, record: Version) -> "Council":
        """Return the council that a genesis record names."""
        made = cls(record, Governance(network_id_of(record)))
        made.known.add(draft_update(record, {}, 1).sign(made.known.network_id, KEYS[0]))
        return made

    @property
    def head(self) -> Version:
        """The newest version."""
        head = self.known.head()
        assert head is not None
        return head

    @property
    def turns(self) -> list[KeyPair]:
        """The finalizers in the order in which they draft."""
        keys = {key.node_id: key for key in KEYS}
        return [keys[node] for node in drafters(self.head.id, self.head.finalizers)]

    def amend(
        self, amendment: Amendment, by: KeyPair | None = None, **order: Any
    ) -> Motion | Rejection:
        """Have a finalizer draft a version, by default the one whose turn it is, and append it."""
        me = self.turns[0] if by is None else by
        return self.append(decide.amend(self.known, me, amendment, NOW, **order), me)

    def co_sign(self, name: Digest, by: KeyPair) -> Motion | Rejection:
        """Have a finalizer sign another's draft, and append that."""
        return self.append(decide.co_sign(self.known, by, name, NOW), by)

    def append(self, motion: Motion | Rejection, by: KeyPair) -> Motion | Rejection:
        """Add the events of a motion to governance."""
        if not isinstance(motion, Rejection):
            for each in motion.signings:
                self.known.add(each.draft.sign(self.known.network_id, by))
        return motion


@pytest.fixture
def council() -> Council:
    return Council.of(genesis(NODES[0], members=dict.fromkeys(NODES[1:3], EVERYTHING)))


@pytest.fixture
def alone() -> Council:
    return Council.of(local_genesis(NODES[0]))


def done(answer: Motion | Rejection) -> Motion:
    """Return the motion that was made."""
    assert isinstance(answer, Motion), answer
    return answer


def code(answer: object) -> str:
    """Return the code of a refusal."""
    assert isinstance(answer, Rejection), answer
    return answer.code


# --- one quorum at a time -------------------------------------------------------------------------


def test_a_version_is_valid_when_a_second_finalizer_has_signed_it(council: Council) -> None:
    motion = done(council.amend(SETTLED))
    assert (motion.missing, len(motion.signings)) == (1, 1)
    assert council.head == council.record
    signed = done(council.co_sign(motion.version.id, council.turns[1]))
    assert signed.missing == 0
    assert council.head == motion.version
    assert council.head.params["settle_ms"] == 5
    assert council.known.equivocators == ()
    late = done(council.co_sign(motion.version.id, council.turns[2]))
    assert (late.signings, late.missing) == ((), 0), "it has its quorum"


def test_a_finalizer_signs_once(council: Council) -> None:
    motion = done(council.amend(SETTLED))
    again = done(council.co_sign(motion.version.id, council.turns[0]))
    assert (again.signings, again.missing) == ((), 1)


def test_in_a_network_of_one_the_node_changes_governance_alone(alone: Council) -> None:
    motion = done(alone.amend(SETTLED))
    assert motion.missing == 0
    assert alone.head == motion.version
    assert alone.head.effective_at == NOW


def test_what_is_so_already_needs_no_version(council: Council) -> None:
    same = Amendment(grants={NODES[1]: frozenset({Role.VERIFIER})}, params={"admission": "closed"})
    motion = done(council.amend(same))
    assert (motion.signings, motion.version) == ((), council.record)


def test_only_a_finalizer_of_the_newest_version_changes_it(council: Council) -> None:
    assert code(council.amend(SETTLED, KEYS[3])) == "missing_role"
    motion = done(council.amend(SETTLED))
    assert code(council.co_sign(motion.version.id, KEYS[3])) == "missing_role"
    assert code(decide.admit(council.known, NODES[3], STRANGER, NOW)) == "missing_role"


def test_nothing_is_changed_before_there_is_governance() -> None:
    nothing = Governance("net:" + "0" * 64)
    assert code(decide.amend(nothing, KEYS[0], SETTLED, NOW)) == "no_governance"


def test_a_version_that_nobody_drafted_is_not_signed(council: Council) -> None:
    assert code(council.co_sign(Digest(b"x" * 32), KEYS[0])) == "unknown_version"
    assert code(council.co_sign(council.record.id, KEYS[0])) == "unknown_version"


# --- one drafter at a time ------------------------------------------------------------------------


def test_another_drafts_only_by_its_operators_word(council: Council) -> None:
    second = council.turns[1]
    refused = council.amend(SETTLED, second)
    assert code(refused) == "not_the_drafter"
    assert isinstance(refused, Rejection)
    assert refused.details["drafter"] == council.turns[0].node_id.hex()
    assert done(council.amend(SETTLED, second, out_of_turn=True)).signers == {second.node_id}


def test_whose_turn_it_is_changes_with_what_is_succeeded(council: Council) -> None:
    records = [attrs.evolve(council.record, effective_at=date) for date in range(40)]
    first = {drafters(record.id, record.finalizers)[0] for record in records}
    assert first == set(NODES[:3])


def test_one_draft_at_a_time_waits_for_signatures(council: Council) -> None:
    motion = done(council.amend(SETTLED))
    refused = council.amend(Amendment(threshold=3))
    assert code(refused) == "already_proposed"
    assert isinstance(refused, Rejection)
    assert refused.details["version"] == motion.version.id.hex()
    other = council.amend(Amendment(threshold=3), council.turns[1], out_of_turn=True)
    assert code(other) == "already_proposed"


def test_a_second_draft_names_the_first_and_is_no_equivocation(council: Council) -> None:
    first = done(council.amend(SETTLED))
    second = done(council.amend(Amendment(threshold=3), supersede=True))
    third = done(council.amend(Amendment(threshold=3), supersede=True))
    assert second.version.supersedes == {first.version.id}
    assert third.version.supersedes == {first.version.id, second.version.id}
    for finalizer in council.turns[1:]:
        council.co_sign(third.version.id, finalizer)
    assert council.head == third.version
    assert council.known.equivocators == ()


def test_a_draft_can_be_taken_back_by_one_that_changes_nothing(council: Council) -> None:
    done(council.amend(SETTLED))
    motion = done(council.amend(Amendment(), supersede=True))
    council.co_sign(motion.version.id, council.turns[1])
    assert council.head == motion.version
    assert council.head.params == council.record.params


def test_there_is_nothing_to_supersede_before_something_was_drafted(council: Council) -> None:
    assert code(council.amend(SETTLED, supersede=True)) == "nothing_to_supersede"


def test_who_signed_one_draft_signs_no_rival_that_does_not_name_it(council: Council) -> None:
    first = done(council.amend(SETTLED))
    rival = done(
        decide.amend(
            fresh(council), council.turns[1], Amendment(threshold=3), NOW, out_of_turn=True
        )
    )
    council.append(rival, council.turns[1])
    refused = council.co_sign(rival.version.id, council.turns[0])
    assert code(refused) == "signed_rival"
    assert isinstance(refused, Rejection)
    assert refused.details["version"] == first.version.id.hex()
    assert council.known.equivocators == ()
    done(council.co_sign(first.version.id, council.turns[2]))
    assert council.head == first.version, "and yet the chain goes on"


def fresh(council: Council) -> Governance:
    """Return governance as a node knows it that has heard of no draft."""
    return Council.of(council.record).known


# --- sign-locks -----------------------------------------------------------------------------------


def locks(motion: Motion) -> tuple[Lock, ...]:
    """Return the locks of a motion's only event."""
    (signing,) = motion.signings
    return signing.locks


def test_two_drafts_in_ignorance_of_each_other_are_two_values_for_one_key(
    council: Council,
) -> None:
    me = council.turns[0]
    one, other = (
        locks(done(decide.amend(fresh(council), me, amendment, NOW)))[0]
        for amendment in (SETTLED, Amendment(threshold=3))
    )
    assert (one.kind, one.key) == (other.kind, other.key)
    assert one.value != other.value


def test_a_second_draft_has_a_key_of_its_own_and_only_one(council: Council) -> None:
    first = done(council.amend(SETTLED))
    me = council.turns[0]
    seconds = [
        locks(done(decide.amend(council.known, me, amendment, NOW, supersede=True)))[0]
        for amendment in (Amendment(threshold=3), Amendment(params={"settle_ms": 6}))
    ]
    assert seconds[0].key == seconds[1].key != locks(first)[0].key
    assert seconds[0].value != seconds[1].value
    assert locks(first) == (governance_lock(council.record.id, first.version.id),)


def test_to_supersede_anothers_draft_shuts_out_signing_that_one(council: Council) -> None:
    second = council.turns[1]
    theirs = done(council.amend(SETTLED))
    mine = decide.amend(
        council.known, second, Amendment(threshold=3), NOW, supersede=True, out_of_turn=True
    )
    theirs_signed = done(decide.co_sign(council.known, second, theirs.version.id, NOW))
    assert locks(done(mine))[0].key == locks(theirs_signed)[0].key


# --- what changes ---------------------------------------------------------------------------------


def test_roles_are_granted_and_taken(council: Council) -> None:
    grant = Amendment(grants={STRANGER: frozenset({Role.PROPOSER, Role.VERIFIER})})
    motion = done(council.amend(grant))
    assert motion.version.members[STRANGER] == {Role.PROPOSER, Role.VERIFIER}
    assert motion.version.threshold == council.record.threshold
    council.co_sign(motion.version.id, council.turns[1])
    assert council.known.admits(STRANGER)
    taken = Amendment(revocations={STRANGER: frozenset({Role.PROPOSER, Role.VERIFIER})})
    assert STRANGER not in done(council.amend(taken)).version.members


@pytest.mark.parametrize(
    ("amendment", "threshold"),
    [
        (Amendment(grants={NODES[3]: EVERYTHING}), 3),
        (Amendment(grants={NODES[3]: frozenset({Role.VERIFIER})}), 2),
        (Amendment(revocations={NODES[2]: frozenset({Role.FINALIZER})}), 2),
        (Amendment(grants={NODES[3]: EVERYTHING}, threshold=4), 4),
    ],
)
def test_the_threshold_follows_the_number_of_finalizers(
    council: Council, amendment: Amendment, threshold: int
) -> None:
    assert done(council.amend(amendment)).version.threshold == threshold


def test_a_chosen_threshold_stays_while_as_many_finalizers_sign(council: Council) -> None:
    motion = done(council.amend(Amendment(threshold=3)))
    council.co_sign(motion.version.id, council.turns[1])
    swap = Amendment(
        grants={NODES[3]: frozenset({Role.FINALIZER})},
        revocations={NODES[2]: frozenset({Role.FINALIZER})},
    )
    assert done(council.amend(swap)).version.threshold == 3


def test_parameters_policies_and_open_roles(council: Council) -> None:
    mine = PolicyName(id="vp.mine.v1", version=2, hash=Digest(b"h" * 32))
    motion = done(
        council.amend(
            Amendment(
                params={"a": 1, "b": "text", "c": True, "admission": "open"},
                register=(mine,),
                unregister=frozenset({(CROSSCHECK.id, 1)}),
                open_roles=frozenset({Role.VERIFIER}),
            )
        )
    )
    version = motion.version
    assert version.admission is Admission.OPEN
    assert dict(version.params) == {"a": 1, "b": "text", "c": True, "admission": "open"}
    assert mine in version.policies
    assert CROSSCHECK.name not in version.policies
    assert version.open_roles == {Role.VERIFIER}
    council.co_sign(version.id, council.turns[1])
    back = Amendment(params={"a": None}, close_roles=frozenset({Role.VERIFIER}))
    after = done(council.amend(back)).version
    assert "a" not in after.params
    assert after.open_roles == frozenset()


@pytest.mark.parametrize(
    ("amendment", "expected"),
    [
        (Amendment(threshold=1), "bad_version"),
        (Amendment(threshold=4), "bad_version"),
        (Amendment(open_roles=frozenset({Role.FINALIZER})), "bad_version"),
        (
            Amendment(revocations=dict.fromkeys(NODES[:3], frozenset({Role.FINALIZER}))),
            "bad_version",
        ),
        (Amendment(revocations={STRANGER: frozenset({Role.VERIFIER})}), "not_a_member"),
        (
            Amendment(grants={NODES[1]: EVERYTHING}, revocations={NODES[1]: EVERYTHING}),
            "inconsistent",
        ),
        (
            Amendment(
                open_roles=frozenset({Role.VERIFIER}), close_roles=frozenset({Role.VERIFIER})
            ),
            "inconsistent",
        ),
        (Amendment(unregister=frozenset({("vp.none", 1)})), "unknown_policy"),
        (Amendment(register=(SCHEMA_ONLY.name, SCHEMA_ONLY.name)), "inconsistent"),
        (
            Amendment(register=(SCHEMA_ONLY.name,), unregister=frozenset({(SCHEMA_ONLY.id, 1)})),
            "inconsistent",
        ),
        (
            Amendment(
                grants=dict.fromkeys(
                    (NodeId(number.to_bytes(32, "big")) for number in range(1_100)),
                    frozenset({Role.VERIFIER}),
                )
            ),
            "bad_field",
        ),
        (
            Amendment(
                grants=dict.fromkeys(
                    (NodeId(number.to_bytes(32, "big")) for number in range(1_000)), EVERYTHING
                )
            ),
            "too_large",
        ),
    ],
)
def test_what_cannot_be_is_refused(council: Council, amendment: Amendment, expected: str) -> None:
    assert code(council.amend(amendment)) == expected
    assert council.known.proposals(council.record.id) == ()


@pytest.mark.parametrize(
    "params",
    [
        {"no id": 1},
        {"a": -1},
        {"a": 2**53},
        {"a": 0.5},
        {"a": "x" * 1_025},
        {"a": b"bytes"},
        {"a": [1]},
        {"admission": "ajar"},
        {"admission": True},
        {f"p{number}": number for number in range(257)},
    ],
)
def test_a_parameter_that_cannot_be_signed_is_refused(
    council: Council, params: Mapping[str, Value]
) -> None:
    refused = council.amend(Amendment(params=params))
    assert code(refused) == "bad_field"
    assert isinstance(refused, Rejection)
    assert ".params" in str(refused.details["path"])


# --- when -----------------------------------------------------------------------------------------


def test_a_version_takes_effect_when_it_is_said_to_and_not_before_now(council: Council) -> None:
    assert code(council.amend(SETTLED, effective_at=NOW - 1)) == "effective_too_early"
    motion = done(council.amend(SETTLED, effective_at=NOW + 60_000))
    assert motion.version.effective_at == NOW + 60_000
    council.co_sign(motion.version.id, council.turns[1])
    assert code(council.amend(Amendment(threshold=3), effective_at=NOW)) == "effective_too_early"
    after = done(council.amend(Amendment(threshold=3)))
    assert after.version.effective_at == NOW + 60_000, "with its predecessor at the earliest"


def test_a_date_that_no_event_could_have_is_refused(council: Council) -> None:
    assert code(council.amend(SETTLED, effective_at=2**52)) == "bad_field"


# --- admission ------------------------------------------------------------------------------------


def test_a_node_is_admitted_once(council: Council) -> None:
    answer = decide.admit(council.known, NODES[0], STRANGER, NOW)
    assert not isinstance(answer, Rejection)
    (signing,) = answer
    council.known.add(signing.draft.sign(council.known.network_id, KEYS[0]))
    assert council.known.admits(STRANGER)
    assert decide.admit(council.known, NODES[1], STRANGER, NOW) == ()


def test_a_local_network_stays_alone(alone: Council) -> None:
    assert code(decide.admit(alone.known, NODES[0], STRANGER, NOW)) == "local_network"
    for amendment in (
        Amendment(grants={STRANGER: frozenset({Role.VERIFIER})}),
        Amendment(params={"admission": "open"}),
    ):
        assert code(alone.amend(amendment)) == "local_network"


# --- concerns -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amendment", "told"),
    [
        (
            Amendment(revocations=dict.fromkeys(NODES[:3], frozenset({Role.VERIFIER}))),
            "nobody is a verifier",
        ),
        (
            Amendment(revocations=dict.fromkeys(NODES[:3], frozenset({Role.COMMITTER}))),
            "nobody is a committer",
        ),
        (Amendment(threshold=3), "all 3 finalizers have to sign"),
        (
            Amendment(
                unregister=frozenset(
                    (name, 1)
                    for name in ("vp.schema_only.v1", "vp.schema_thresholds.v1", "vp.crosscheck.v1")
                )
            ),
            "no policy is registered",
        ),
        (
            Amendment(register=(PolicyName(id="vp.mine", version=1, hash=Digest(bytes(32))),)),
            "cannot carry out policy vp.mine",
        ),
    ],
)
def test_what_no_rule_forbids_may_still_be_told(
    council: Council, amendment: Amendment, told: str
) -> None:
    (concern,) = done(council.amend(amendment)).concerns
    assert told in concern


def test_a_finalizer_is_told_that_it_resigns(council: Council) -> None:
    me = council.turns[0].node_id
    motion = done(council.amend(Amendment(revocations={me: frozenset({Role.FINALIZER})})))
    assert any("no finalizer any more" in told for told in motion.concerns)


def test_closing_what_was_open_is_told_to_be_in_vain() -> None:
    record = genesis(NODES[0], admission=Admission.OPEN)
    council = Council.of(record)
    motion = done(council.amend(Amendment(params={"admission": "closed"})))
    assert any("holds for ever" in told for told in motion.concerns)


def test_a_network_that_tolerates_no_contradiction_says_so(alone: Council) -> None:
    two = Council.of(genesis(NODES[0], members={NODES[1]: EVERYTHING}))
    three = done(two.amend(Amendment(grants={NODES[2]: EVERYTHING})))
    assert three.version.threshold == 2
    assert any("none may contradict itself" in told for told in three.concerns)
    assert decide.tolerated(1, 1) == decide.tolerated(3, 2) == 0
    assert (decide.tolerated(4, 3), decide.tolerated(2, 2)) == (1, 1)
    (told,) = done(alone.amend(SETTLED)).concerns
    assert told == "no rule of this program reads the parameter settle_ms"
    assert done(alone.amend(Amendment(threshold=1, params={"b": 1}))).concerns == (
        "no rule of this program reads the parameter b",
    ), "what was told of the version before is not told again"


def test_a_successor_is_never_newer_than_a_restore(council: Council) -> None:
    motion = done(council.amend(SETTLED))
    co_signed = done(decide.co_sign(council.known, KEYS[1], motion.version.id, NOW))
    assert opened_at(motion.signings) == opened_at(co_signed.signings) == 0


def test_who_has_the_next_version_sign_what_its_rules_cannot_do_is_told(council: Council) -> None:
    version = attrs.evolve(council.record, rules_version=2)
    told = decide.concerns(version, council.record, NODES[0])
    assert told == ("this program lacks rules 2: it signs nothing under them",)
