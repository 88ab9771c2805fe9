-- name: lock
select pg_advisory_xact_lock(%(key)s);

-- name: create_schemas
do $$
begin
    if to_regnamespace(quote_ident(current_setting('wattswarm.log_schema'))) is null then
        execute format('create schema %I', current_setting('wattswarm.log_schema'));
    end if;
    if to_regnamespace(quote_ident(current_setting('wattswarm.local_schema'))) is null then
        execute format('create schema %I', current_setting('wattswarm.local_schema'));
    end if;
end
$$;

-- name: create_record
create table if not exists schema_migrations (
    version integer primary key,
    name text not null,
    sha256 text not null,
    applied_at timestamptz not null default now()
);

-- name: applied
select version, name, sha256 from schema_migrations order by version;

-- name: record
insert into schema_migrations (version, name, sha256) values (%(version)s, %(name)s, %(sha256)s);

-- name: is_migrated
select to_regclass('schema_migrations') is not null;

-- name: use_log_schema
select set_config('search_path', current_setting('wattswarm.log_schema'), true);

-- name: derived_sha256
-- Null when there is no derived schema, or one that was never finished.
select obj_description(to_regnamespace(quote_ident(current_setting('wattswarm.derived_schema'))), 'pg_namespace');

-- name: recreate_derived
do $$
begin
    execute format('drop schema if exists %I cascade', current_setting('wattswarm.derived_schema'));
    execute format('create schema %I', current_setting('wattswarm.derived_schema'));
    perform set_config('search_path', current_setting('wattswarm.derived_schema'), true);
end
$$;

-- name: record_derived
do $$
begin
    execute format('comment on schema %I is %L',
        current_setting('wattswarm.derived_schema'), current_setting('wattswarm.derived_sha256'));
end
$$;

-- name: set_derived_sha256
select set_config('wattswarm.derived_sha256', %(sha256)s, true);
