-- What names no task is judged again when a statement is about its author.

select set_config('search_path', current_setting('wattswarm.log_schema'), true);

create index sel_events_without_task_by_author on sel_events (author, seq) where task_id is null;
