-- Which artifacts the log names, as far as it has been read for that: what may be collected is asked of this table.
-- It can be emptied, with its position in settings, and is filled again from the log.

select set_config('search_path', current_setting('wattswarm.local_schema'), true);

create table artifact_names (
    digest bytea not null check (octet_length(digest) = 32),
    task_id bytea not null check (octet_length(task_id) in (0, 32)),
    primary key (digest, task_id)
);
comment on column artifact_names.task_id is 'The task whose event names the artifact; empty where the event belongs to none.';
