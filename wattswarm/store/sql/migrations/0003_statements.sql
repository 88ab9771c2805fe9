-- Statements are governance too, and re-derive the tasks of the events and of the authors that they name.

select set_config('search_path', current_setting('wattswarm.log_schema'), true);

drop index sel_events_of_governance;
create index sel_events_of_governance on sel_events (seq)
    where event_kind in ('GOVERNANCE_UPDATED', 'NODE_ADMITTED', 'EVENT_REVOKED', 'NODE_PENALIZED');
create index sel_events_by_author on sel_events (author, task_id) where task_id is not null;
