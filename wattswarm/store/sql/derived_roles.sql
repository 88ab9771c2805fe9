-- The rights of separate roles on a set of projections; each new set gets them.
do $$
declare
    derived_schema text := current_setting('wattswarm.derived_schema');
    prefix text := 'wattswarm_' || current_setting('wattswarm.log_schema') || '_';
    purpose text;
begin
    foreach purpose in array array['projection', 'local', 'reader'] loop
        if exists (select from pg_roles where rolname = prefix || purpose and pg_has_role(oid, 'member')) then
            execute format('grant usage on schema %I to %I', derived_schema, prefix || purpose);
            execute format('grant select on all tables in schema %I to %I', derived_schema, prefix || purpose);
        end if;
    end loop;
    if exists (select from pg_roles where rolname = prefix || 'projection' and pg_has_role(oid, 'member')) then
        execute format('grant insert, update, delete on all tables in schema %I to %I',
            derived_schema, prefix || 'projection');
    end if;
end
$$;
