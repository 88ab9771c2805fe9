-- name: head
select last_seq, chain, writer_term, feed_epoch from sel_head

-- name: read
-- The rows first, by their key, and then their lanes: from a plan that is made once for all positions, the server
-- would read whole lanes.
select seq, event_id, scope, class, created_at, received_at, author, task_id, event_kind, signature, chain, body
from (
    select * from sel_events
    where seq > %(after_seq)s
    order by seq
    limit %(limit)s
) as next_events
join lanes using (lane_no)
order by seq

-- name: read_task
select seq, event_id, scope, class, created_at, received_at, author, task_id, event_kind, signature, chain, body
from sel_events
join lanes using (lane_no)
where task_id = %(task_id)s and seq > %(after_seq)s
order by seq
limit %(limit)s

-- name: read_tasks
-- The first events of each of several tasks, up to a position: each task by its own part of the index.
select seq, event_id, scope, class, created_at, received_at, author, task_id, event_kind, signature, chain, body
from unnest(%(task_ids)b::bytea[]) as wanted (wanted_id)
cross join lateral (
    select * from sel_events
    where task_id = wanted_id and seq <= %(up_to_seq)s
    order by seq
    limit %(limit)s
) as first_events
join lanes using (lane_no)
order by seq

-- name: tasks_about
-- By two indexes: that of ids, and that of authors.
select task_id from sel_events
where event_id = any(%(events)b::bytea[]) and task_id is not null and seq <= %(up_to_seq)b
union
select task_id from sel_events
where author = any(%(authors)b::bytea[]) and task_id is not null and seq <= %(up_to_seq)b
order by task_id

-- name: read_taskless
-- Events without a task that are named, or of some authors: by two indexes.
select seq, event_id, scope, class, created_at, received_at, author, task_id, event_kind, signature, chain, body
from (
    select seq from sel_events
    where event_id = any(%(events)b::bytea[]) and task_id is null and seq > %(after_seq)s and seq <= %(up_to_seq)s
    union
    select seq from sel_events
    where author = any(%(authors)b::bytea[]) and task_id is null and seq > %(after_seq)s and seq <= %(up_to_seq)s
) as found
join sel_events using (seq)
join lanes using (lane_no)
order by seq
limit %(limit)s

-- name: read_governance
-- By the index of these kinds: they are few, and read by everybody at every start.
select seq, event_id, scope, class, created_at, received_at, author, task_id, event_kind, signature, chain, body
from sel_events
join lanes using (lane_no)
where event_kind in ('GOVERNANCE_UPDATED', 'NODE_ADMITTED', 'EVENT_REVOKED', 'NODE_PENALIZED') and seq > %(after_seq)s
order by seq
limit %(limit)s

-- name: read_window
-- All rows between two positions that fit, and those of governance: a part of a log stands by itself.
select seq, event_id, scope, class, created_at, received_at, author, task_id, event_kind, signature, chain, body
from sel_events
join lanes using (lane_no)
where seq > %(after_seq)s and seq <= %(up_to_seq)s
    and (
        %(scope)s::text is null or scope = %(scope)s
        or event_kind in ('GOVERNANCE_UPDATED', 'NODE_ADMITTED', 'EVENT_REVOKED', 'NODE_PENALIZED')
    )
order by seq

-- name: read_task_window
-- The next rows of a task and of governance up to a position: each by its own index.
select seq, event_id, scope, class, created_at, received_at, author, task_id, event_kind, signature, chain, body
from (
    (
        select * from sel_events
        where task_id = %(task_id)s and seq > %(after_seq)s and seq <= %(up_to_seq)s
        order by seq
        limit %(limit)s
    )
    union all
    (
        select * from sel_events
        where event_kind in ('GOVERNANCE_UPDATED', 'NODE_ADMITTED', 'EVENT_REVOKED', 'NODE_PENALIZED')
            and task_id is distinct from %(task_id)s and seq > %(after_seq)s and seq <= %(up_to_seq)s
        order by seq
        limit %(limit)s
    )
) as chosen
join lanes using (lane_no)
order by seq
limit %(limit)s

-- name: find
select seq, event_id, scope, class, created_at, received_at, author, task_id, event_kind, signature, chain, body
from sel_events
join lanes using (lane_no)
where event_id between %(first)s and %(last)s
order by event_id
limit %(limit)s

-- name: at
select seq, event_id, scope, class, created_at, received_at, author, task_id, event_kind, signature, chain, body
from sel_events
join lanes using (lane_no)
where seq = %(seq)s

-- name: positions
select event_id, seq from sel_events where event_id = any(%(ids)b::bytea[])

-- name: lanes
select lane_no, scope, class, event_count, digest
from lanes
join lane_roots using (lane_no)
order by scope, class

-- name: marks
-- Each lane with its root and its latest date, and the end of the log: of one moment.
select scope, class, event_count, digest, last_seq, chain, (
    select created_at from sel_events
    where sel_events.lane_no = lanes.lane_no
    order by created_at desc, event_id desc
    limit 1
) as last_at
from lanes
join lane_roots using (lane_no)
cross join sel_head
where %(scope)s::text is null or scope = %(scope)s
order by scope, class

-- name: lane_keys
select created_at, event_id
from sel_events
where lane_no = %(lane_no)s and (created_at, event_id) > (%(after_at)s, %(after_id)s)
order by created_at, event_id
limit %(limit)s

-- name: lane_pages
select prefix, page from sel_nodes where lane_no = %(lane_no)s

-- name: begin_snapshot
begin transaction isolation level repeatable read read only

-- name: end_snapshot
rollback
