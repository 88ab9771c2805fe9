-- name: begin_schema
create schema if not exists chaos

-- name: begin_table
create table if not exists chaos.writes (
    no bigint generated always as identity primary key,
    session text not null,
    writer_term bigint not null,
    first_seq bigint not null,
    last_seq bigint not null,
    events bigint not null
)

-- name: begin_function
create or replace function chaos.note_write() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    insert into chaos.writes (session, writer_term, first_seq, last_seq, events)
    select current_setting('application_name'), (select writer_term from sel_head), min(seq), max(seq), count(*)
    from added
    having count(*) > 0;
    return null;
end
$$

-- name: begin_trigger
create or replace trigger note_write after insert on public.sel_events
referencing new table as added for each statement execute function chaos.note_write()

-- name: writes
select session, writer_term, first_seq, last_seq, events from chaos.writes order by first_seq

-- name: log_backends
select pid from pg_stat_activity where application_name like 'wattswarm:log:%%'

-- name: answers
select execution_id, (extract(epoch from answered_at) * 1000000)::bigint from local.executions
