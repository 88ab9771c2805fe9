-- name: add_names
insert into artifact_names (digest, task_id)
select * from unnest(%(digests)b::bytea[], %(task_ids)b::bytea[])
on conflict do nothing

-- name: names
select digest, task_id from artifact_names where digest = any(%(digests)b::bytea[])

-- name: tasks_naming
select task_id from artifact_names where digest = %(digest)s and task_id <> '' order by task_id limit %(limit)s

-- name: answers
select execution_id, task_id, answer from executions
where execution_id > %(after)s
order by execution_id
limit %(limit)s

-- name: submissions
select key, event from submissions where key > %(after)s order by key limit %(limit)s
