-- The log: what was signed, as it was signed, in the order of arrival here. Nothing in it is ever changed.
-- One writer fills these tables, so lane numbers need no foreign key on the hot path; `log verify` checks them.

create table lanes (
    lane_no integer primary key check (lane_no > 0),
    scope text collate "C" not null check (octet_length(scope) between 1 and 135),
    class text collate "C" not null check (class in ('control', 'work', 'messages')),
    unique (scope, class)
);
comment on table lanes is 'Local numbers of lanes; a lane is a scope and a class, read from the bytes.';

create table sel_events (
    seq bigint primary key check (seq > 0),
    event_id bytea not null unique check (octet_length(event_id) = 32),
    lane_no integer not null,
    created_at bigint not null check (created_at >= 0 and created_at < 281474976710656),
    received_at bigint not null check (received_at >= 0),
    author bytea not null check (octet_length(author) = 32),
    task_id bytea check (octet_length(task_id) = 32),
    event_kind text collate "C" not null check (octet_length(event_kind) between 1 and 64),
    signature bytea not null check (octet_length(signature) = 64),
    chain bytea not null check (octet_length(chain) = 32),
    body bytea not null check (octet_length(body) between 1 and 65536)
);
comment on column sel_events.task_id is 'The task the event belongs to: the one it names, or itself when it creates one.';
comment on column sel_events.chain is 'BLAKE3(chain of the row before, event_id): an edited, removed or reordered row shows.';

-- Bodies are mostly hashes and signatures: compressing them costs time and saves nothing. Rows are never
-- updated, so pages are filled and frozen once.
alter table sel_events alter column body set storage external;
alter table sel_events set (toast_tuple_target = 8160, fillfactor = 100, autovacuum_freeze_min_age = 0);

create index sel_events_by_lane on sel_events (lane_no, created_at, event_id);
create index sel_events_of_governance on sel_events (seq) where event_kind in ('GOVERNANCE_UPDATED', 'NODE_ADMITTED');
create index sel_events_by_task on sel_events (task_id, seq) where task_id is not null;

create table sel_head (
    is_only boolean primary key default true check (is_only),
    last_seq bigint not null check (last_seq >= 0),
    chain bytea not null check (octet_length(chain) = 32),
    writer_term bigint not null check (writer_term >= 0),
    feed_epoch bytea not null check (octet_length(feed_epoch) = 16)
);
comment on column sel_head.writer_term is 'Goes up with each new writer; a batch of an older writer is refused.';
comment on column sel_head.feed_epoch is 'Random, drawn anew after a restore from backup: cursors into this log end with it.';

insert into sel_head (last_seq, chain, writer_term, feed_epoch)
values (0, decode(repeat('00', 32), 'hex'), 0, uuid_send(gen_random_uuid()));

create table lane_roots (
    lane_no integer primary key,
    event_count bigint not null check (event_count > 0),
    digest bytea not null check (octet_length(digest) = 32)
) with (fillfactor = 50);
comment on table lane_roots is 'Count and digest of the time-trie of each lane.';

create table sel_nodes (
    lane_no integer not null,
    prefix text collate "C" not null check (octet_length(prefix) < 76),
    page bytea not null check (octet_length(page) between 41 and 656),
    primary key (lane_no, prefix)
) with (fillfactor = 70);
alter table sel_nodes alter column page set storage plain;
comment on table sel_nodes is
    'Inner nodes of the time-tries: per child its nibble, count and digest; the digest of a node is that of its page.';

create table own_locks (
    kind text collate "C" not null check (octet_length(kind) between 1 and 64),
    key bytea not null check (octet_length(key) between 1 and 1024),
    value bytea not null check (octet_length(value) <= 1024),
    seq bigint not null references sel_events (seq),
    primary key (kind, key)
);
comment on table own_locks is 'What this node has bound itself to by signing; a second value for a key is refused.';

create function refuse_change() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
    raise exception 'the log is append-only: % of % is refused', tg_op, tg_table_name
        using errcode = 'restrict_violation';
end
$$;

create function refuse_going_back() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
    if new.last_seq < old.last_seq or new.writer_term < old.writer_term then
        raise exception 'the head of the log only moves forward' using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;

create trigger append_only before update or delete on sel_events
    for each row execute function refuse_change();
create trigger append_only before update or delete on lanes
    for each row execute function refuse_change();
create trigger append_only before update or delete on own_locks
    for each row execute function refuse_change();
create trigger stays before delete on sel_head for each row execute function refuse_change();
create trigger moves_forward before update on sel_head
    for each row execute function refuse_going_back();

create trigger no_truncate before truncate on sel_events
    for each statement execute function refuse_change();
create trigger no_truncate before truncate on lanes
    for each statement execute function refuse_change();
create trigger no_truncate before truncate on own_locks
    for each statement execute function refuse_change();
create trigger no_truncate before truncate on sel_head
    for each statement execute function refuse_change();

alter table sel_events enable always trigger append_only;
alter table sel_events enable always trigger no_truncate;
alter table lanes enable always trigger append_only;
alter table lanes enable always trigger no_truncate;
alter table own_locks enable always trigger append_only;
alter table own_locks enable always trigger no_truncate;
alter table sel_head enable always trigger stays;
alter table sel_head enable always trigger moves_forward;
alter table sel_head enable always trigger no_truncate;
