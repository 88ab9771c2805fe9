-- Whether this node may sign: kept here and not in the log, which a restored backup sets back.

select set_config('search_path', current_setting('wattswarm.local_schema'), true);

create table own_signing (
    is_only boolean primary key default true check (is_only),
    word text collate "C" not null default 'free' check (word in ('free', 'suspected', 'cloned')),
    since_ms bigint check (since_ms >= 0),
    event_id bytea check (octet_length(event_id) = 32),
    restored_at_ms bigint check (restored_at_ms >= 0)
);
comment on column own_signing.event_id is 'The first event of our own key that came from elsewhere.';
comment on column own_signing.restored_at_ms is
    'Nothing is signed for what was opened by then: locks of that time may be lost. It only moves on.';

insert into own_signing default values;
