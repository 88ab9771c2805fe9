-- For each table of a group: what replaces its rows, and what reads them. The tables of governance hold one
-- group only.

-- name: delete_tasks
delete from tasks where task_id = any(%(ids)b::bytea[])

-- name: delete_claims
delete from claims where task_id = any(%(ids)b::bytea[])

-- name: delete_candidates
delete from candidates where task_id = any(%(ids)b::bytea[])

-- name: delete_evidence
delete from evidence where task_id = any(%(ids)b::bytea[])

-- name: delete_confirmations
delete from confirmations where task_id = any(%(ids)b::bytea[])

-- name: delete_results
delete from results where task_id = any(%(ids)b::bytea[])

-- name: delete_votes
delete from votes where task_id = any(%(ids)b::bytea[])

-- name: delete_decisions
delete from decisions where task_id = any(%(ids)b::bytea[])

-- name: delete_finality
delete from finality where task_id = any(%(ids)b::bytea[])

-- name: delete_outcomes
delete from outcomes where task_id = any(%(ids)b::bytea[])

-- name: delete_errors
delete from errors where task_id = any(%(ids)b::bytea[])

-- name: delete_epochs
delete from epochs where task_id = any(%(ids)b::bytea[])

-- name: delete_epoch_ends
delete from epoch_ends where task_id = any(%(ids)b::bytea[])

-- name: delete_controls
delete from controls where task_id = any(%(ids)b::bytea[])

-- name: delete_completions
delete from completions where task_id = any(%(ids)b::bytea[])

-- name: delete_settlements
delete from settlements where task_id = any(%(ids)b::bytea[])

-- name: delete_feedback
delete from feedback where task_id = any(%(ids)b::bytea[])

-- name: delete_contributions
delete from contributions where task_id = any(%(ids)b::bytea[])

-- name: delete_knowledge
delete from knowledge where task_id = any(%(ids)b::bytea[])

-- name: delete_reuse_rejections
delete from reuse_rejections where task_id = any(%(ids)b::bytea[])

-- name: delete_retries
delete from retries where task_id = any(%(ids)b::bytea[])

-- name: delete_verdicts
delete from verdicts where task_id = any(%(ids)b::bytea[])

-- name: delete_topic_messages
delete from topic_messages where event_id = any(%(ids)b::bytea[])

-- name: delete_feed_subscriptions
delete from feed_subscriptions where event_id = any(%(ids)b::bytea[])

-- name: delete_task_announcements
delete from task_announcements where event_id = any(%(ids)b::bytea[])

-- name: delete_execution_intents
delete from execution_intents where event_id = any(%(ids)b::bytea[])

-- name: delete_execution_sets
delete from execution_sets where event_id = any(%(ids)b::bytea[])

-- name: delete_execution_set_members
delete from execution_set_members where event_id = any(%(ids)b::bytea[])

-- name: delete_checkpoints
delete from checkpoints where event_id = any(%(ids)b::bytea[])

-- name: delete_checkpoint_lanes
delete from checkpoint_lanes where event_id = any(%(ids)b::bytea[])

-- name: delete_board_verdicts
delete from board_verdicts where event_id = any(%(ids)b::bytea[])

-- name: delete_governance_versions
delete from governance_versions

-- name: delete_governance_members
delete from governance_members

-- name: delete_governance_policies
delete from governance_policies

-- name: delete_governance_admissions
delete from governance_admissions

-- name: delete_governance_statements
delete from governance_statements

-- name: delete_governance_kept
delete from governance_kept

-- name: delete_governance_verdicts
delete from governance_verdicts

-- name: delete_governance_equivocations
delete from governance_equivocations

-- name: copy_tasks
copy tasks from stdin (format binary)

-- name: copy_claims
copy claims from stdin (format binary)

-- name: copy_candidates
copy candidates from stdin (format binary)

-- name: copy_evidence
copy evidence from stdin (format binary)

-- name: copy_confirmations
copy confirmations from stdin (format binary)

-- name: copy_results
copy results from stdin (format binary)

-- name: copy_votes
copy votes from stdin (format binary)

-- name: copy_decisions
copy decisions from stdin (format binary)

-- name: copy_finality
copy finality from stdin (format binary)

-- name: copy_outcomes
copy outcomes from stdin (format binary)

-- name: copy_errors
copy errors from stdin (format binary)

-- name: copy_epochs
copy epochs from stdin (format binary)

-- name: copy_epoch_ends
copy epoch_ends from stdin (format binary)

-- name: copy_controls
copy controls from stdin (format binary)

-- name: copy_completions
copy completions from stdin (format binary)

-- name: copy_settlements
copy settlements from stdin (format binary)

-- name: copy_feedback
copy feedback from stdin (format binary)

-- name: copy_contributions
copy contributions from stdin (format binary)

-- name: copy_knowledge
copy knowledge from stdin (format binary)

-- name: copy_reuse_rejections
copy reuse_rejections from stdin (format binary)

-- name: copy_retries
copy retries from stdin (format binary)

-- name: copy_verdicts
copy verdicts from stdin (format binary)

-- name: copy_topic_messages
copy topic_messages from stdin (format binary)

-- name: copy_feed_subscriptions
copy feed_subscriptions from stdin (format binary)

-- name: copy_task_announcements
copy task_announcements from stdin (format binary)

-- name: copy_execution_intents
copy execution_intents from stdin (format binary)

-- name: copy_execution_sets
copy execution_sets from stdin (format binary)

-- name: copy_execution_set_members
copy execution_set_members from stdin (format binary)

-- name: copy_checkpoints
copy checkpoints from stdin (format binary)

-- name: copy_checkpoint_lanes
copy checkpoint_lanes from stdin (format binary)

-- name: copy_board_verdicts
copy board_verdicts from stdin (format binary)

-- name: copy_governance_versions
copy governance_versions from stdin (format binary)

-- name: copy_governance_members
copy governance_members from stdin (format binary)

-- name: copy_governance_policies
copy governance_policies from stdin (format binary)

-- name: copy_governance_admissions
copy governance_admissions from stdin (format binary)

-- name: copy_governance_statements
copy governance_statements from stdin (format binary)

-- name: copy_governance_kept
copy governance_kept from stdin (format binary)

-- name: copy_governance_verdicts
copy governance_verdicts from stdin (format binary)

-- name: copy_governance_equivocations
copy governance_equivocations from stdin (format binary)

-- name: rows_of_tasks
select task_id, standing, scope, creator, created_at, pin, name, task_type, mode, expires_at, quorum_threshold, epoch, attempt, events, effective, candidates, results, approvals, rejections, errors, decided_candidate, decision_id, is_final, final_candidate, is_disputed, control from tasks where task_id = %(task_id)s order by task_id

-- name: rows_of_claims
select task_id, claim_id, author, role, executor, epoch, pin, attempt, created_at, lease_end, renewals, approved, released_at from claims where task_id = %(task_id)s order by task_id, claim_id

-- name: rows_of_candidates
select task_id, candidate_id, author, executor, claim_id, epoch, pin, attempt, created_at, output_digest, output_size_bytes, output_mime, approvals, rejections, summary, reuse_of from candidates where task_id = %(task_id)s order by task_id, candidate_id

-- name: rows_of_evidence
select task_id, event_id, position, candidate_id, digest, size_bytes, mime, is_own_list from evidence where task_id = %(task_id)s order by task_id, event_id, position

-- name: rows_of_confirmations
select task_id, confirmation_id, candidate_id, digest, author, claim_id, proof, created_at from confirmations where task_id = %(task_id)s order by task_id, confirmation_id

-- name: rows_of_results
select task_id, result_id, candidate_id, claim_id, author, executor, epoch, pin, attempt, created_at, status, score_bp, reason_codes, provider, model from results where task_id = %(task_id)s order by task_id, result_id

-- name: rows_of_votes
select task_id, vote_id, form, author, candidate_id, result_id, commit_id, epoch, pin, attempt, created_at, vote, listed_by, is_counted from votes where task_id = %(task_id)s order by task_id, vote_id

-- name: rows_of_decisions
select task_id, decision_id, author, candidate_id, epoch, pin, attempt, created_at, approvals, rejections, reveals, confirmations, summary from decisions where task_id = %(task_id)s order by task_id, decision_id

-- name: rows_of_finality
select task_id, epoch, pin, candidate_id, signer, decision_id, signature from finality where task_id = %(task_id)s order by task_id, epoch, pin, candidate_id, signer, decision_id

-- name: rows_of_outcomes
select task_id, epoch, pin, candidate_id, signers, threshold, is_disputed from outcomes where task_id = %(task_id)s order by task_id, epoch, pin

-- name: rows_of_errors
select task_id, error_id, claim_id, author, executor, role, epoch, attempt, created_at, reason, reason_codes, message from errors where task_id = %(task_id)s order by task_id, error_id

-- name: rows_of_epochs
select task_id, epoch, pin, opened_at, attempt from epochs where task_id = %(task_id)s order by task_id, epoch, pin

-- name: rows_of_epoch_ends
select task_id, epoch, pin, next_pin, signers, is_quorate from epoch_ends where task_id = %(task_id)s order by task_id, epoch, pin, next_pin

-- name: rows_of_controls
select task_id, control_id, word, control_no, reason, is_creators, signers, is_backed from controls where task_id = %(task_id)s order by task_id, control_id

-- name: rows_of_completions
select task_id, completion_id, candidate_id, created_at, is_approved, is_retry_requested, reason from completions where task_id = %(task_id)s order by task_id, completion_id

-- name: rows_of_settlements
select task_id, settlement_id, claim_id, created_at, receipt from settlements where task_id = %(task_id)s order by task_id, settlement_id

-- name: rows_of_feedback
select task_id, feedback_id, epoch, pin, candidate_id, created_at, outcome, reason from feedback where task_id = %(task_id)s order by task_id, feedback_id

-- name: rows_of_contributions
select task_id, epoch, node, pin, candidate_id, vote_id, provider, model, agrees, is_bad, due_at, stability, quality from contributions where task_id = %(task_id)s order by task_id, epoch, node

-- name: rows_of_knowledge
select task_id, epoch, pin, candidate_id, decision_id, scope, task_type, input_digest, schema_digest, policy_id, policy_hash, output_digest, output_size_bytes, output_mime, quorum, approvals, rejections, decided_at, is_bad, summary, reuse_of from knowledge where task_id = %(task_id)s order by task_id, epoch, pin

-- name: rows_of_reuse_rejections
select task_id, rejection_id, author, epoch, pin, candidate_id, decision_id, scope, output_digest, created_at, rejections, reason_codes from reuse_rejections where task_id = %(task_id)s order by task_id, rejection_id

-- name: rows_of_retries
select task_id, retry_id, author, epoch, pin, from_attempt, run_at, created_at, reason from retries where task_id = %(task_id)s order by task_id, retry_id

-- name: rows_of_verdicts
select task_id, event_id, event_kind, author, created_at, verdict, code, awaited, name, epoch, attempt from verdicts where task_id = %(task_id)s order by task_id, event_id

-- name: rows_of_topic_messages
select event_id, scope, author, created_at, feed_key, reply_to, text, body_digest, body_size_bytes, body_mime from topic_messages where event_id = %(event_id)s order by event_id

-- name: rows_of_feed_subscriptions
select event_id, scope, author, created_at, feed_key, revision, is_active, gossip_kinds, provides, retention_ms from feed_subscriptions where event_id = %(event_id)s order by event_id

-- name: rows_of_task_announcements
select event_id, scope, author, created_at, announcement_key, feed_key, task_id, revision, summary, detail_digest, detail_size_bytes, detail_mime from task_announcements where event_id = %(event_id)s order by event_id

-- name: rows_of_execution_intents
select event_id, scope, author, created_at, task_id, execution_set, revision, role_hint, intent from execution_intents where event_id = %(event_id)s order by event_id

-- name: rows_of_execution_sets
select event_id, scope, author, created_at, task_id, execution_set, revision, members from execution_sets where event_id = %(event_id)s order by event_id

-- name: rows_of_execution_set_members
select event_id, node, role_hint from execution_set_members where event_id = %(event_id)s order by event_id, node

-- name: rows_of_checkpoints
select event_id, scope, author, created_at, seq, chain, lanes from checkpoints where event_id = %(event_id)s order by event_id

-- name: rows_of_checkpoint_lanes
select event_id, scope, class, cut, events, root from checkpoint_lanes where event_id = %(event_id)s order by event_id, scope, class

-- name: rows_of_board_verdicts
select event_id, scope, author, created_at, event_kind, code from board_verdicts where event_id = %(event_id)s order by event_id

-- name: rows_of_governance_versions
select version_id, prev, version, effective_at, threshold, rules_version, proposers_open, verifiers_open, params, is_head from governance_versions order by version_id

-- name: rows_of_governance_members
select version_id, node, is_proposer, is_verifier, is_committer, is_finalizer from governance_members order by version_id, node

-- name: rows_of_governance_policies
select version_id, policy_id, policy_version, policy_hash from governance_policies order by version_id, policy_id, policy_version, policy_hash

-- name: rows_of_governance_admissions
select node, author, event_id from governance_admissions order by node, author, event_id

-- name: rows_of_governance_statements
select content_id, kind, target, serial, state, governance, reason, begins_at, ends_at, is_cut, signers, is_quorate from governance_statements order by content_id

-- name: rows_of_governance_kept
select content_id, event_id from governance_kept order by content_id, event_id

-- name: rows_of_governance_verdicts
select event_id, event_kind, author, created_at, verdict, code, awaited, name from governance_verdicts order by event_id

-- name: rows_of_governance_equivocations
select prev, node, version_id from governance_equivocations order by prev, node, version_id
