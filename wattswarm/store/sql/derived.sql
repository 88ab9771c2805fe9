-- Projections: can be dropped and made again from the log, to the last byte. No migrations: when this file
-- changes, the schema is made anew and filled from the log. The tables of groups are those of kernel/rows.py
-- and tables.py, column by column; none refers to another, so that they can be replaced in any order.

create table cursors (
    name text collate "C" not null,
    shard integer not null,
    seq bigint not null check (seq >= 0),
    primary key (name, shard)
) with (fillfactor = 50);
comment on table cursors is 'Up to which position of the log each projection and shard has been derived.';

create table groups (
    group_id bytea primary key,
    scope text collate "C" not null,
    digest bytea check (octet_length(digest) = 32)
) with (fillfactor = 70);
create index groups_by_scope on groups (scope, group_id);
comment on table groups is 'A digest over the rows of each task or other group; the digest of a scope is made of these.';
comment on column groups.digest is 'Null where the group is in no digest: nobody knows the scope of a task whose creation is missing.';

create table quarantined (
    group_id bytea primary key,
    seq bigint not null,
    error text not null
);
comment on table quarantined is 'Groups whose derivation failed, at the position where it did; their rows are those before.';

create table tasks (
    task_id bytea not null,
    standing text collate "C" not null,
    scope text collate "C",
    creator bytea,
    created_at bigint,
    pin bytea,
    name text collate "C",
    task_type text collate "C",
    mode text collate "C",
    expires_at bigint,
    quorum_threshold bigint,
    epoch bigint not null,
    attempt bigint not null,
    events bigint not null,
    effective bigint not null,
    candidates bigint not null,
    results bigint not null,
    approvals bigint not null,
    rejections bigint not null,
    errors bigint not null,
    decided_candidate bytea,
    decision_id bytea,
    is_final boolean not null,
    final_candidate bytea,
    is_disputed boolean not null,
    control text collate "C",
    primary key (task_id)
);

create table claims (
    task_id bytea not null,
    claim_id bytea not null,
    author bytea not null,
    role text collate "C" not null,
    executor text collate "C" not null,
    epoch bigint not null,
    pin bytea not null,
    attempt bigint not null,
    created_at bigint not null,
    lease_end bigint not null,
    renewals bigint not null,
    approved boolean,
    released_at bigint,
    primary key (task_id, claim_id)
);

create table candidates (
    task_id bytea not null,
    candidate_id bytea not null,
    author bytea not null,
    executor text collate "C" not null,
    claim_id bytea not null,
    epoch bigint not null,
    pin bytea not null,
    attempt bigint not null,
    created_at bigint not null,
    output_digest text collate "C" not null,
    output_size_bytes bigint not null,
    output_mime text collate "C" not null,
    approvals bigint not null,
    rejections bigint not null,
    summary text collate "C",
    reuse_of bytea,
    primary key (task_id, candidate_id)
);

create table evidence (
    task_id bytea not null,
    event_id bytea not null,
    position bigint not null,
    candidate_id bytea not null,
    digest text collate "C" not null,
    size_bytes bigint not null,
    mime text collate "C" not null,
    is_own_list boolean not null,
    primary key (task_id, event_id, position)
);

create table confirmations (
    task_id bytea not null,
    confirmation_id bytea not null,
    candidate_id bytea not null,
    digest text collate "C" not null,
    author bytea not null,
    claim_id bytea not null,
    proof bytea not null,
    created_at bigint not null,
    primary key (task_id, confirmation_id)
);

create table results (
    task_id bytea not null,
    result_id bytea not null,
    candidate_id bytea not null,
    claim_id bytea not null,
    author bytea not null,
    executor text collate "C" not null,
    epoch bigint not null,
    pin bytea not null,
    attempt bigint not null,
    created_at bigint not null,
    status text collate "C" not null,
    score_bp bigint not null,
    reason_codes text collate "C" not null,
    provider text collate "C" not null,
    model text collate "C" not null,
    primary key (task_id, result_id)
);

create table votes (
    task_id bytea not null,
    vote_id bytea not null,
    form text collate "C" not null,
    author bytea not null,
    candidate_id bytea not null,
    result_id bytea not null,
    commit_id bytea,
    epoch bigint not null,
    pin bytea not null,
    attempt bigint not null,
    created_at bigint not null,
    vote text collate "C",
    listed_by bigint,
    is_counted boolean not null,
    primary key (task_id, vote_id)
);

create table decisions (
    task_id bytea not null,
    decision_id bytea not null,
    author bytea not null,
    candidate_id bytea not null,
    epoch bigint not null,
    pin bytea not null,
    attempt bigint not null,
    created_at bigint not null,
    approvals bigint not null,
    rejections bigint not null,
    reveals bigint not null,
    confirmations bigint not null,
    summary text collate "C",
    primary key (task_id, decision_id)
);

create table finality (
    task_id bytea not null,
    epoch bigint not null,
    pin bytea not null,
    candidate_id bytea not null,
    signer bytea not null,
    decision_id bytea not null,
    signature bytea not null,
    primary key (task_id, epoch, pin, candidate_id, signer, decision_id)
);

create table outcomes (
    task_id bytea not null,
    epoch bigint not null,
    pin bytea not null,
    candidate_id bytea not null,
    signers bigint not null,
    threshold bigint not null,
    is_disputed boolean not null,
    primary key (task_id, epoch, pin)
);

create table errors (
    task_id bytea not null,
    error_id bytea not null,
    claim_id bytea not null,
    author bytea not null,
    executor text collate "C" not null,
    role text collate "C" not null,
    epoch bigint not null,
    attempt bigint not null,
    created_at bigint not null,
    reason text collate "C" not null,
    reason_codes text collate "C" not null,
    message text collate "C" not null,
    primary key (task_id, error_id)
);

create table retries (
    task_id bytea not null,
    retry_id bytea not null,
    author bytea not null,
    epoch bigint not null,
    pin bytea not null,
    from_attempt bigint not null,
    run_at bigint not null,
    created_at bigint not null,
    reason text collate "C",
    primary key (task_id, retry_id)
);

create table epochs (
    task_id bytea not null,
    epoch bigint not null,
    pin bytea not null,
    opened_at bigint not null,
    attempt bigint not null,
    primary key (task_id, epoch, pin)
);

create table epoch_ends (
    task_id bytea not null,
    epoch bigint not null,
    pin bytea not null,
    next_pin bytea not null,
    signers bigint not null,
    is_quorate boolean not null,
    primary key (task_id, epoch, pin, next_pin)
);

create table controls (
    task_id bytea not null,
    control_id bytea not null,
    word text collate "C" not null,
    control_no bigint not null,
    reason text collate "C" not null,
    is_creators boolean not null,
    signers bigint not null,
    is_backed boolean not null,
    primary key (task_id, control_id)
);

create table completions (
    task_id bytea not null,
    completion_id bytea not null,
    candidate_id bytea not null,
    created_at bigint not null,
    is_approved boolean not null,
    is_retry_requested boolean not null,
    reason text collate "C",
    primary key (task_id, completion_id)
);

create table settlements (
    task_id bytea not null,
    settlement_id bytea not null,
    claim_id bytea not null,
    created_at bigint not null,
    receipt text collate "C",
    primary key (task_id, settlement_id)
);

create table feedback (
    task_id bytea not null,
    feedback_id bytea not null,
    epoch bigint not null,
    pin bytea not null,
    candidate_id bytea not null,
    created_at bigint not null,
    outcome text collate "C" not null,
    reason text collate "C" not null,
    primary key (task_id, feedback_id)
);

create table contributions (
    task_id bytea not null,
    epoch bigint not null,
    node bytea not null,
    pin bytea not null,
    candidate_id bytea not null,
    vote_id bytea not null,
    provider text collate "C" not null,
    model text collate "C" not null,
    agrees boolean not null,
    is_bad boolean not null,
    due_at bigint not null,
    stability bigint not null,
    quality bigint not null,
    primary key (task_id, epoch, node)
);

create table knowledge (
    task_id bytea not null,
    epoch bigint not null,
    pin bytea not null,
    candidate_id bytea not null,
    decision_id bytea not null,
    scope text collate "C" not null,
    task_type text collate "C" not null,
    input_digest text collate "C" not null,
    schema_digest text collate "C" not null,
    policy_id text collate "C" not null,
    policy_hash bytea not null,
    output_digest text collate "C" not null,
    output_size_bytes bigint not null,
    output_mime text collate "C" not null,
    quorum bigint not null,
    approvals bigint not null,
    rejections bigint not null,
    decided_at bigint not null,
    is_bad boolean not null,
    summary text collate "C",
    reuse_of bytea,
    primary key (task_id, epoch, pin)
);

create table reuse_rejections (
    task_id bytea not null,
    rejection_id bytea not null,
    author bytea not null,
    epoch bigint not null,
    pin bytea not null,
    candidate_id bytea not null,
    decision_id bytea not null,
    scope text collate "C" not null,
    output_digest text collate "C" not null,
    created_at bigint not null,
    rejections bigint not null,
    reason_codes text collate "C" not null,
    primary key (task_id, rejection_id)
);

create table verdicts (
    task_id bytea not null,
    event_id bytea not null,
    event_kind text collate "C" not null,
    author bytea not null,
    created_at bigint not null,
    verdict text collate "C" not null,
    code text collate "C",
    awaited text collate "C",
    name bytea,
    epoch bigint,
    attempt bigint,
    primary key (task_id, event_id)
);

create table topic_messages (
    event_id bytea not null,
    scope text collate "C" not null,
    author bytea not null,
    created_at bigint not null,
    feed_key text collate "C" not null,
    reply_to bytea,
    text text collate "C",
    body_digest text collate "C",
    body_size_bytes bigint,
    body_mime text collate "C",
    primary key (event_id)
);

create table feed_subscriptions (
    event_id bytea not null,
    scope text collate "C" not null,
    author bytea not null,
    created_at bigint not null,
    feed_key text collate "C" not null,
    revision bigint not null,
    is_active boolean not null,
    gossip_kinds text collate "C",
    provides text collate "C",
    retention_ms bigint,
    primary key (event_id)
);

create table task_announcements (
    event_id bytea not null,
    scope text collate "C" not null,
    author bytea not null,
    created_at bigint not null,
    announcement_key text collate "C" not null,
    feed_key text collate "C" not null,
    task_id bytea not null,
    revision bigint not null,
    summary text collate "C",
    detail_digest text collate "C",
    detail_size_bytes bigint,
    detail_mime text collate "C",
    primary key (event_id)
);

create table execution_intents (
    event_id bytea not null,
    scope text collate "C" not null,
    author bytea not null,
    created_at bigint not null,
    task_id bytea not null,
    execution_set text collate "C" not null,
    revision bigint not null,
    role_hint text collate "C" not null,
    intent text collate "C" not null,
    primary key (event_id)
);

create table execution_sets (
    event_id bytea not null,
    scope text collate "C" not null,
    author bytea not null,
    created_at bigint not null,
    task_id bytea not null,
    execution_set text collate "C" not null,
    revision bigint not null,
    members bigint not null,
    primary key (event_id)
);

create table execution_set_members (
    event_id bytea not null,
    node bytea not null,
    role_hint text collate "C" not null,
    primary key (event_id, node)
);

create table checkpoints (
    event_id bytea not null,
    scope text collate "C" not null,
    author bytea not null,
    created_at bigint not null,
    seq bigint not null,
    chain bytea not null,
    lanes bigint not null,
    primary key (event_id)
);

create table checkpoint_lanes (
    event_id bytea not null,
    scope text collate "C" not null,
    class text collate "C" not null,
    cut bigint not null,
    events bigint not null,
    root bytea not null,
    primary key (event_id, scope, class)
);

create table board_verdicts (
    event_id bytea not null,
    scope text collate "C" not null,
    author bytea not null,
    created_at bigint not null,
    event_kind text collate "C" not null,
    code text collate "C" not null,
    primary key (event_id)
);

create table governance_versions (
    version_id bytea not null,
    prev bytea,
    version bigint not null,
    effective_at bigint not null,
    threshold bigint not null,
    rules_version bigint not null,
    proposers_open boolean not null,
    verifiers_open boolean not null,
    params bytea not null,
    is_head boolean not null,
    primary key (version_id)
);

create table governance_members (
    version_id bytea not null,
    node bytea not null,
    is_proposer boolean not null,
    is_verifier boolean not null,
    is_committer boolean not null,
    is_finalizer boolean not null,
    primary key (version_id, node)
);

create table governance_policies (
    version_id bytea not null,
    policy_id text collate "C" not null,
    policy_version bigint not null,
    policy_hash bytea not null,
    primary key (version_id, policy_id, policy_version, policy_hash)
);

create table governance_admissions (
    node bytea not null,
    author bytea not null,
    event_id bytea not null,
    primary key (node, author, event_id)
);

create table governance_statements (
    content_id bytea not null,
    kind text collate "C" not null,
    target bytea not null,
    serial bigint not null,
    state text collate "C" not null,
    governance bytea not null,
    reason text collate "C" not null,
    begins_at bigint,
    ends_at bigint,
    is_cut boolean not null,
    signers bigint not null,
    is_quorate boolean not null,
    primary key (content_id)
);

create table governance_kept (
    content_id bytea not null,
    event_id bytea not null,
    primary key (content_id, event_id)
);

create table governance_verdicts (
    event_id bytea not null,
    event_kind text collate "C" not null,
    author bytea not null,
    created_at bigint not null,
    verdict text collate "C" not null,
    code text collate "C",
    awaited text collate "C",
    name bytea,
    primary key (event_id)
);

create table governance_equivocations (
    prev bytea not null,
    node bytea not null,
    version_id bytea not null,
    primary key (prev, node, version_id)
);

create index verdicts_waiting_for_versions on verdicts (name) where awaited = 'version';
create index tasks_newest on tasks (created_at desc, task_id desc) where created_at is not null;

create function task_word(is_final boolean, standing text, control text, expires_at bigint, code text, now_ms bigint)
returns text language sql immutable return case
    when is_final then 'final'
    when standing = 'effective' and control in ('killed', 'stopped') then control
    when standing = 'effective' and expires_at < now_ms then 'expired'
    when standing = 'effective' and control = 'suspended' then control
    when standing = 'effective' then 'open'
    when standing = 'ignored' and code = 'unsupported_rules' then 'unsupported'
    when standing = 'ignored' then 'void'
    else 'pending'
end;
comment on function task_word is 'The word for the state of a task at a moment: that of views.state_word.';
create index candidates_by_output on candidates (output_digest);
create index evidence_by_digest on evidence (digest);
create index knowledge_by_question on knowledge (input_digest, schema_digest, decided_at desc, task_id desc, epoch desc, pin desc);
create index knowledge_newest on knowledge (task_type, decided_at desc, task_id desc);
create index knowledge_by_decision on knowledge (decision_id);
create index reuse_rejections_by_decision on reuse_rejections (decision_id);
create index contributions_by_node on contributions (node);

-- A precedent is deprecated when as many as made it, in its own task, rejected one repetition of it. What gives
-- another output repeats nothing, whatever decision it names.
create view precedents as
select *,
    exists (
        select from reuse_rejections
        where reuse_rejections.decision_id = knowledge.decision_id
            and reuse_rejections.output_digest = knowledge.output_digest
            and reuse_rejections.scope = knowledge.scope
            and reuse_rejections.rejections >= knowledge.quorum
    ) as is_deprecated,
    array(
        select distinct evidence.digest
        from evidence
        where evidence.task_id = knowledge.task_id and evidence.candidate_id = knowledge.candidate_id
            and is_own_list
        order by evidence.digest
    ) as evidence
from knowledge;

-- Of several revisions under one key the highest stands, then the latest, then the one of the greater id: a
-- view, so that when one is voided the one before it stands again. It is looked up in the index for each row: joined
-- with itself, a key with many revisions would cost their square.

create index feed_subscriptions_by_key on feed_subscriptions (scope, author, feed_key, revision, created_at, event_id);
create view current_subscriptions as
select * from feed_subscriptions as said
where said.event_id = (
    select other.event_id from feed_subscriptions as other
    where (other.scope, other.author, other.feed_key) = (said.scope, said.author, said.feed_key)
    order by other.revision desc, other.created_at desc, other.event_id desc
    limit 1
);

create index task_announcements_by_key on task_announcements (scope, author, announcement_key, revision, created_at, event_id);
create view current_announcements as
select * from task_announcements as said
where said.event_id = (
    select other.event_id from task_announcements as other
    where (other.scope, other.author, other.announcement_key) = (said.scope, said.author, said.announcement_key)
    order by other.revision desc, other.created_at desc, other.event_id desc
    limit 1
);

create index execution_intents_by_key on execution_intents (scope, author, task_id, execution_set, revision, created_at, event_id);
create view current_intents as
select * from execution_intents as said
where said.event_id = (
    select other.event_id from execution_intents as other
    where (other.scope, other.author, other.task_id, other.execution_set) = (said.scope, said.author, said.task_id, said.execution_set)
    order by other.revision desc, other.created_at desc, other.event_id desc
    limit 1
);

create index execution_sets_by_key on execution_sets (scope, author, task_id, execution_set, revision, created_at, event_id);
create view current_sets as
select * from execution_sets as said
where said.event_id = (
    select other.event_id from execution_sets as other
    where (other.scope, other.author, other.task_id, other.execution_set) = (said.scope, said.author, said.task_id, said.execution_set)
    order by other.revision desc, other.created_at desc, other.event_id desc
    limit 1
);

create index topic_messages_newest on topic_messages (created_at desc, event_id desc);
create index topic_messages_of_feed on topic_messages (scope, feed_key, created_at desc, event_id desc);
create index topic_messages_by_body on topic_messages (body_digest) where body_digest is not null;
create index task_announcements_newest on task_announcements (created_at desc, event_id desc);
create index task_announcements_of_task on task_announcements (task_id);
create index task_announcements_by_detail on task_announcements (detail_digest) where detail_digest is not null;
create index execution_intents_of_task on execution_intents (task_id);
create index execution_sets_of_task on execution_sets (task_id);
create index checkpoints_newest on checkpoints (created_at desc, event_id desc);
