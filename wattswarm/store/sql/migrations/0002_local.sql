-- Facts of this node alone: backed up with the log, never derived from it, never part of a digest.

select set_config('search_path', current_setting('wattswarm.local_schema'), true);

create table settings (
    name text collate "C" primary key check (octet_length(name) between 1 and 128),
    value bytea not null check (octet_length(value) <= 65536)
);
comment on table settings is 'Small facts by name: which node this is, outbox cursors.';

create table submissions (
    key text collate "C" primary key check (octet_length(key) between 1 and 256),
    request_digest bytea not null check (octet_length(request_digest) = 32),
    event bytea not null check (octet_length(event) <= 65664),
    submitted_at bigint not null
);
create index submissions_by_age on submissions (submitted_at);
comment on table submissions is
    'What was signed for an idempotency key, before it was appended: the same key appends the same event again.';

create table executors (
    name text collate "C" primary key check (octet_length(name) between 1 and 128),
    record json not null
);
comment on column executors.record is 'Whoever registers executors knows the members.';

create table executions (
    execution_id bytea primary key check (octet_length(execution_id) = 32),
    task_id bytea not null check (octet_length(task_id) = 32),
    executor text collate "C" not null,
    answer bytea not null check (octet_length(answer) <= 1048576),
    answered_at timestamptz not null default now()
);
create index executions_by_task on executions (task_id);
comment on table executions is 'Answers of executors: what is stored here is never asked for again.';

create table dead_letters (
    letter_id bigint generated always as identity primary key,
    actor text collate "C" not null,
    message_id bigint not null,
    sender text not null,
    message text not null,
    body bytea not null,
    crashes integer not null,
    error text not null,
    traceback text not null,
    at_ms bigint not null
);
comment on table dead_letters is 'Messages that crashed their actor too often, for a person to look at.';
