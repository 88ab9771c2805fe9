-- Facts of this node alone: backed up with the log, never derived from it, never part of a digest.

select set_config('search_path', current_setting('wattswarm.local_schema'), true);

create table settings (
    name text collate "C" primary key check (octet_length(name) between 1 and 128),
    value bytea not null check (octet_length(value) <= 65536)
);
comment on table settings is 'Small facts by name: which node this is, outbox cursors.';

create table idempotency_keys (
    key text collate "C" primary key check (octet_length(key) between 1 and 256),
    request_digest bytea not null check (octet_length(request_digest) = 32),
    task_id bytea not null check (octet_length(task_id) = 32),
    used_at bigint not null
);
create index idempotency_keys_by_age on idempotency_keys (used_at);
comment on table idempotency_keys is 'What a caller already had us submit: the same key and request give the same task.';

create table executors (
    name text collate "C" primary key check (octet_length(name) between 1 and 128),
    record bytea not null check (octet_length(record) <= 65536),
    updated_at bigint not null
);
comment on column executors.record is 'Canonical CBOR; whoever registers executors knows the fields.';

create table executions (
    execution_id bytea primary key check (octet_length(execution_id) = 32),
    task_id bytea not null check (octet_length(task_id) = 32),
    executor text collate "C" not null,
    request bytea not null,
    started_at bigint not null,
    tries integer not null check (tries > 0),
    answer bytea,
    answered_at bigint,
    settled_at bigint,
    check ((answer is null) = (answered_at is null)),
    check (settled_at is null or answered_at is not null)
) with (fillfactor = 60);
create index executions_open on executions (started_at, execution_id) where settled_at is null;
create index executions_by_task on executions (task_id);
comment on table executions is 'Calls of executors: an answer that is stored here is never asked for again.';

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
