-- name: cursor
select seq from cursors where name = %(name)s and shard = %(shard)s

-- name: begin_cursor
insert into cursors (name, shard, seq) values (%(name)s, %(shard)s, 0) on conflict do nothing

-- name: move_cursor
update cursors set seq = %(seq)s where name = %(name)s and shard = %(shard)s and seq = %(expected)s

-- name: put_cursor
insert into cursors (name, shard, seq) values (%(name)s, %(shard)s, %(seq)s)
on conflict (name, shard) do update set seq = excluded.seq

-- name: share
with others as (
    delete from cursors where name <> %(name)s or shard >= %(shards)s returning seq
)
insert into cursors (name, shard, seq)
select %(name)s, shard, coalesce((select min(seq) from others), 0)
from generate_series(0, %(shards)s - 1) as shard
on conflict do nothing

-- name: write_groups
insert into groups (group_id, scope, digest)
select * from unnest(%(ids)b::bytea[], %(scopes)b::text[], %(digests)b::bytea[])
on conflict (group_id) do update set scope = excluded.scope, digest = excluded.digest

-- name: release
delete from quarantined where group_id = any(%(ids)b::bytea[])

-- name: quarantine
insert into quarantined (group_id, seq, error)
select * from unnest(%(ids)b::bytea[], %(seqs)b::bigint[], %(errors)b::text[])
on conflict (group_id) do update set seq = excluded.seq, error = excluded.error

-- name: begin_snapshot
begin transaction isolation level repeatable read read only

-- name: end_snapshot
rollback

-- name: cursors
select name, shard, seq from cursors order by name, shard

-- name: scopes
select distinct scope from groups where digest is not null order by scope

-- name: groups
select group_id, digest from groups where scope = %(scope)s and digest is not null order by group_id

-- name: quarantine_list
select group_id, seq, error from quarantined order by group_id

-- name: list_tasks
select task_id, name, task_type, scope, word, epoch, attempt, created_at, expires_at, candidates, results,
    approvals, rejections, coalesce(final_candidate, decided_candidate) as decided, events
from (
    select tasks.*, task_word(is_final, standing, control, expires_at, creation.code, %(now_ms)s) as word
    from tasks
    left join verdicts as creation on creation.task_id = tasks.task_id and creation.event_id = tasks.task_id
    where tasks.created_at is not null
) as worded
where (%(state)s::text is null or word = %(state)s)
    and (%(task_type)s::text is null or task_type = %(task_type)s)
    and (%(scope)s::text is null or scope = %(scope)s)
    and (%(before_at)s::bigint is null or (created_at, task_id) < (%(before_at)s, %(before_id)s::bytea))
order by created_at desc, task_id desc
limit %(limit)s

-- name: count_tasks
select task_word(is_final, standing, control, expires_at, creation.code, %(now_ms)s) as word, count(*)
from tasks
left join verdicts as creation on creation.task_id = tasks.task_id and creation.event_id = tasks.task_id
group by word
order by word

-- name: find_tasks
select task_id from tasks where task_id between %(first)s and %(last)s order by task_id limit %(limit)s

-- name: tasks_from
select task_id from tasks where task_id >= %(start)s order by task_id limit %(limit)s

-- name: unfinished_tasks
-- Tasks that may still be worked on: what a dispatcher has to look at after a restart.
select task_id from tasks
where standing = 'effective' and task_id > %(after)s
    and (mode = 'continuous' or not is_final and expires_at >= %(now_ms)s)
    and coalesce(control, 'resumed') = 'resumed'
order by task_id
limit %(limit)s

-- name: task_words
-- The words of list_tasks, for tasks by their ids.
select task_id, case
    when is_final then 'final'
    when standing = 'effective' and control in ('killed', 'stopped') then control
    when standing = 'effective' and expires_at < %(now_ms)s then 'expired'
    when standing = 'effective' and control = 'suspended' then control
    when standing = 'effective' then 'open'
    when standing <> 'ignored' then 'pending'
    when exists (
        select from verdicts
        where verdicts.task_id = tasks.task_id and event_id = tasks.task_id and code = 'unsupported_rules'
    ) then 'unsupported'
    else 'void'
end
from tasks
where task_id = any(%(task_ids)b::bytea[])

-- name: tasks_over
-- Of some tasks those that had ended before a date: nothing dated later can still be work on them.
select task_id from tasks
where task_id = any(%(task_ids)b::bytea[]) and expires_at < %(before_ms)s
    and (standing = 'effective' or is_final)
    and (mode = 'one_shot' or control = 'killed')

-- name: tasks_waiting_for
select distinct task_id from verdicts where awaited = 'version' and name = any(%(pins)b::bytea[])

-- name: artifact_mime
select mime
from (
    select output_mime as mime from candidates where output_digest = %(digest)s
    union all
    select mime from evidence where digest = %(digest)s
    union all
    select body_mime from topic_messages where body_digest = %(digest)s
    union all
    select detail_mime from task_announcements where detail_digest = %(digest)s
) as named
order by mime
limit 1
