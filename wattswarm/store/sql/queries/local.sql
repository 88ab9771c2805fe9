-- name: get_setting
select value from settings where name = %(name)s

-- name: put_setting
insert into settings (name, value) values (%(name)s, %(value)s)
on conflict (name) do update set value = excluded.value

-- name: keep_setting
insert into settings (name, value) values (%(name)s, %(value)s) on conflict (name) do nothing

-- name: keep_submission
insert into submissions (key, request_digest, event, submitted_at)
values (%(key)s, %(request_digest)s, %(event)s, %(at_ms)s)
on conflict (key) do nothing

-- name: get_submission
select request_digest, event from submissions where key = %(key)s

-- name: forget_submissions
delete from submissions where submitted_at < %(before_ms)s

-- name: all_executors
select record from executors order by name

-- name: put_executor
insert into executors (name, record) values (%(name)s, %(record)s::json)
on conflict (name) do update set record = excluded.record

-- name: remove_executor
delete from executors where name = %(name)s

-- name: get_answer
select answer from executions where execution_id = %(execution_id)s

-- name: get_answers
select task_id, execution_id, answer from executions where task_id = any(%(task_ids)b::bytea[])

-- name: store_answers
insert into executions (execution_id, task_id, executor, answer)
select * from unnest(
    %(execution_ids)b::bytea[], %(task_ids)b::bytea[], %(executors)b::text[], %(answers)b::bytea[]
)
on conflict (execution_id) do nothing

-- name: answered_tasks
select distinct task_id from executions where task_id > %(after)s order by task_id limit %(limit)s

-- name: count_answers
select count(*) from executions where task_id = any(%(task_ids)b::bytea[])

-- name: forget_answers
delete from executions where task_id = any(%(task_ids)b::bytea[])

-- name: keep_letter
insert into dead_letters (actor, message_id, sender, message, body, crashes, error, traceback, at_ms)
values (%(actor)s, %(message_id)s, %(sender)s, %(message)s, %(body)s, %(crashes)s, %(error)s, %(traceback)s, %(at_ms)s)
returning letter_id

-- name: drop_oldest_letters
delete from dead_letters
where letter_id in (select letter_id from dead_letters order by letter_id desc offset %(kept_max)s)

-- name: letters
select letter_id, actor, message_id, sender, message, body, crashes, error, traceback, at_ms
from dead_letters
where (%(before_id)s::bigint is null or letter_id < %(before_id)s) and (%(actor)s::text is null or actor = %(actor)s)
order by letter_id desc
limit %(limit)s

-- name: letter
select letter_id, actor, message_id, sender, message, body, crashes, error, traceback, at_ms
from dead_letters
where letter_id = %(letter_id)s

-- name: remove_letter
delete from dead_letters where letter_id = %(letter_id)s

-- name: count_letters
select count(*) from dead_letters
