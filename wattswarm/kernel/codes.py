"""The one public table of codes: of refusals, verdicts and problems, each with a sentence.

A code is stable: programs compare it, people read the sentence. Numeric reason codes live only in
verifier results and task errors (`policy.ReasonCode`).
"""

from collections.abc import Mapping
from typing import Final

FORM: Final[Mapping[str, str]] = {
    "malformed": "the bytes or the document cannot be what they claim to be.",
    "too_large": "it is larger than the protocol allows.",
    "too_deep": "it is nested deeper than the protocol allows.",
    "too_many": "it holds more items than the protocol allows.",
    "not_cbor": "it is not CBOR.",
    "not_canonical": "it is not the deterministic encoding of its value.",
    "not_an_event": "it is not an event: the array of a body and a signature.",
    "bad_keys": "the event's body lacks a key, or has one that events do not have.",
    "bad_value": "a value is of a type, or in a range, that signed values may not have.",
    "bad_field": "a field is missing, or is not what it must be.",
    "unknown_field": "there is a field that this kind does not have; a new field is a new kind.",
    "bad_signature": "the signature is not the author's over this event.",
    "wrong_network": "it belongs to another network.",
    "bad_json": "it is not JSON that all implementations read alike.",
    "bad_schema": "it is not a JSON Schema that can be used here.",
    "bad_params": "the parameters are not those of the policy.",
    "bad_version": "such a governance version could never be valid.",
    "inconsistent": "two fields contradict each other.",
}

VERDICTS: Final[Mapping[str, str]] = {
    "unknown_kind": "this version knows no such kind of event; it is kept and passed on.",
    "wrong_class": "an event of this kind belongs to another class of lane.",
    "wrong_scope": "its scope is not that of its task.",
    "task_in_task": "an event that creates a task does not name one.",
    "wrong_epoch": "it belongs to an epoch that the task, or what it names, does not have.",
    "after_expiry": "it is dated after its task expired.",
    "not_expired": "it is dated before its task expires.",
    "date_order": "it is dated at or before an event that it names.",
    "wrong_kind": "it names an event that is of another kind than it must be.",
    "depends_on_ignored": "it depends on an event that is ignored.",
    "unsupported_rules": "the task's governance version asks for rules that this program lacks.",
    "missing_role": "its author does not hold the role that this needs.",
    "policy_not_registered": "the governance version does not register the task's policy.",
    "wrong_pin": "it names another governance version than its epoch is pinned to.",
    "no_such_attempt": "the contract does not allow that many attempts.",
    "empty_lease": "the lease would end before it begins.",
    "lease_over": "the lease it needs had ended by then.",
    "not_own_claim": "the claim it names is not its author's own, or not this one.",
    "not_own_candidate": "the candidate is not its author's own.",
    "not_own_result": "the result is not its author's own.",
    "not_own_commit": "the commit is not its author's own.",
    "not_creator": "only the task's creator says this.",
    "wrong_role": "the claim it names is for another kind of work.",
    "not_covered": "the claim does not cover that candidate.",
    "not_independent": "the contract asks for a verifier that is independent of the proposer.",
    "unknown_digest": "the candidate's own evidence has no such digest.",
    "no_evidence": "it adds no evidence.",
    "code_not_of_policy": "it gives a reason code that the task's policy does not have.",
    "inconclusive_without_reason": "an inconclusive result says which evidence was out of reach.",
    "votes_are_plain": "votes on this task are not committed first.",
    "votes_are_sealed": "votes on this task are committed first, and then revealed.",
    "vote_without_finding": "an inconclusive result gives no vote.",
    "vote_against_finding": "the vote says something else than the voter's own result.",
    "commit_mismatch": "the revealed vote and salt are not those that were committed.",
    "wrong_candidate": "it lists something that is about another candidate.",
    "mixed_attempts": "it lists votes of several attempts.",
    "no_quorum": "too few distinct approvals count by its own list.",
    "evidence_unconfirmed": "too few distinct verifiers held the candidate's evidence.",
    "no_valid_signature": "it carries no valid signature of a finalizer of the pin.",
    "foreign_genesis": "this genesis record begins another network.",
    "wrong_version_number": "a governance version's number is its predecessor's and one.",
}

REFUSALS: Final[Mapping[str, str]] = {
    "contract_invalid": "the contract cannot be used as it is.",
    "no_governance": "the network's governance has not reached this node yet.",
    "not_admitted": "this node is not admitted to the network.",
    "task_not_open": "the task is not open.",
    "unknown_claim": "there is no such claim.",
    "unknown_candidate": "there is no such candidate.",
    "unknown_decision": "there is no such decision.",
    "no_place": "every place for this work is taken.",
    "attempt_not_open": "that attempt is not open, or not yet to be worked on.",
    "place_held": "this executor holds a place for this already.",
    "place_spent": "this executor had a place in this attempt and left nothing.",
    "budget_spent": "the task has no units or steps left for this.",
    "early_stop": "the task has enough candidates.",
    "only_verifier": "the only verifier does not propose where others can.",
    "lease_not_held": "the claim's lease is not held any more.",
    "lease_at_limit": "the lease cannot be made longer: the contract bounds it.",
    "already_reported": "the failure of this claim has been reported.",
    "already_signed": "this node has signed this already.",
    "nothing_to_vote": "there is no finding of this node to vote on.",
    "already_voted": "this node has voted on that candidate in this attempt.",
    "too_early": "it is too early for this.",
    "not_decidable": "no candidate has enough votes and confirmations.",
    "already_decided": "a decision stands already.",
    "not_the_decider": "another node decides this task now.",
    "not_the_drafter": "another finalizer is in turn to draft what all are to sign.",
    "one_epoch": "the task has no epoch after this one.",
    "stale_pin": "the task names a governance version that had a successor when it was created.",
    "signed_another": "this node has signed another candidate for this epoch.",
    "restored_since": "this node's log was restored after the epoch was opened.",
    "body_missing": "a body that must be checked first is not here.",
    "policy_failed": "the output does not pass the task's policy.",
    "lock_refused": "this node has signed something else for the same key.",
    "outranked": "the finalizers have said otherwise, and their word stands before the creator's.",
    "would_be_ignored": "the event would have no effect.",
}

CONTRACT: Final[Mapping[str, str]] = {
    "policy_unsupported": "this program cannot carry out that policy.",
    "policy_mismatch": "the policy has another version or hash than the document says.",
    "already_expired": "the task would be over before it began.",
    "quorum_unreachable": "fewer could vote than the contract asks for.",
    "nobody_can_propose": "the governance version names no proposer.",
    "nobody_can_verify": "the governance version names no verifier that could vote.",
    "nobody_can_decide": "the governance version names no committer.",
    "decider_not_committer": "the decider is no committer of the governance version.",
}
"""What is wrong with a contract, beside its form: stands in the details of `contract_invalid`."""

CODES: Final[Mapping[str, str]] = {**FORM, **VERDICTS, **CONTRACT, **REFUSALS}

WORDS: Final[Mapping[str, str]] = {
    "final": "decided for good: enough finalizers signed one candidate.",
    "killed": "ended by the finalizers; nothing will be signed for it.",
    "stopped": "not final, and nobody works on it any more.",
    "expired": "not final by the time its contract gave it.",
    "suspended": "at rest until it is resumed.",
    "open": "being worked on.",
    "unsupported": "needs rules that this program lacks; this node signs nothing for it.",
    "pending": "its creation, or the governance version it names, has not arrived yet.",
    "void": "its creation has no effect.",
}
"""The words for the state of a task."""
