-- name: begin
begin

-- name: commit
commit

-- name: rollback
rollback

-- name: fence
-- No row: another writer has the log. The lock serialises writers even if two should believe in themselves.
select last_seq, chain, feed_epoch from sel_head where writer_term = %(term)s for update

-- name: known
select event_id, seq from sel_events where event_id = any(%(ids)b::bytea[])

-- name: held
select kind, key, value
from own_locks
join unnest(%(kinds)b::text[], %(keys)b::bytea[]) as asked (kind, key) using (kind, key)

-- name: insert_lanes
insert into lanes (lane_no, scope, class)
select * from unnest(%(lane_nos)b::integer[], %(scopes)b::text[], %(classes)b::text[])

-- name: insert_events
insert into sel_events
    (seq, event_id, lane_no, created_at, received_at, author, task_id, event_kind, signature, chain, body)
select %(last_seq)b::bigint + place, event_id, lane_no, created_at, received_at, author, task_id, event_kind,
    signature, chain, body
from unnest(
    %(event_ids)b::bytea[], %(lane_nos)b::integer[], %(created_ats)b::bigint[], %(received_ats)b::bigint[],
    %(authors)b::bytea[], %(task_ids)b::bytea[], %(kinds)b::text[], %(signatures)b::bytea[], %(chains)b::bytea[],
    %(bodies)b::bytea[]
) with ordinality as added
    (event_id, lane_no, created_at, received_at, author, task_id, event_kind, signature, chain, body, place)
on conflict do nothing

-- name: insert_locks
insert into own_locks (kind, key, value, seq)
select * from unnest(%(kinds)b::text[], %(keys)b::bytea[], %(values)b::bytea[], %(seqs)b::bigint[])

-- name: write_pages
insert into sel_nodes (lane_no, prefix, page)
select * from unnest(%(lane_nos)b::integer[], %(prefixes)b::text[], %(pages)b::bytea[])
on conflict (lane_no, prefix) do update set page = excluded.page

-- name: write_roots
insert into lane_roots (lane_no, event_count, digest)
select * from unnest(%(lane_nos)b::integer[], %(counts)b::bigint[], %(digests)b::bytea[])
on conflict (lane_no) do update set event_count = excluded.event_count, digest = excluded.digest

-- name: advance
update sel_head set last_seq = %(last_seq)b, chain = %(chain)b where writer_term = %(term)b

-- name: read_pages
select lane_no, prefix, page
from sel_nodes
join unnest(%(lane_nos)b::integer[], %(prefixes)b::text[]) as asked (lane_no, prefix) using (lane_no, prefix)

-- name: read_leaves
select asked.place, held.created_at, held.event_id
from unnest(
    %(lane_nos)b::integer[], %(first_ats)b::bigint[], %(first_ids)b::bytea[], %(last_ats)b::bigint[],
    %(last_ids)b::bytea[]
) with ordinality as asked (lane_no, first_at, first_id, last_at, last_id, place)
cross join lateral (
    select created_at, event_id
    from sel_events
    where sel_events.lane_no = asked.lane_no
        and (created_at, event_id) >= (asked.first_at, asked.first_id)
        and (created_at, event_id) <= (asked.last_at, asked.last_id)
    order by created_at, event_id
) as held
order by asked.place, held.created_at, held.event_id

-- name: end_predecessor
-- A writer frozen inside a transaction would hold the head for good. Writers are known by their advisory lock.
select pg_terminate_backend(activity.pid, 3000)
from pg_locks
join pg_stat_activity as activity using (pid)
where locktype = 'advisory'
    and granted
    and pg_locks.database = (select oid from pg_database where datname = current_database())
    and classid = ((%(key)s::bigint >> 32) & 4294967295)::oid
    and objid = (%(key)s::bigint & 4294967295)::oid
    and objsubid = 1
    and activity.pid <> pg_backend_pid()
    and application_name like 'wattswarm:log:%%'

-- name: take_lock
select pg_advisory_lock(%(key)s::bigint)

-- name: limit_waiting
select set_config('lock_timeout', '3s', false)

-- name: next_term
update sel_head set writer_term = writer_term + 1 returning last_seq, chain, writer_term, feed_epoch

-- name: current_term
select writer_term from sel_head

-- name: show_term
select set_config('application_name', 'wattswarm:log:' || %(term)s, false)

-- name: probe
update sel_head set chain = chain where writer_term = %(term)s

-- name: lanes
select lane_no, scope, class from lanes

-- name: roots
select lane_no, event_count, digest from lane_roots
