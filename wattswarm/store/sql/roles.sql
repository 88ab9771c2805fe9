-- Separate roles, where the DSN may create them: a session takes the one of its purpose and can then do
-- no more than that purpose needs. Without the right to create roles, or where roles of these names belong to
-- somebody else, the triggers alone protect the log.
do $$
declare
    log_schema text := current_setting('wattswarm.log_schema');
    local_schema text := current_setting('wattswarm.local_schema');
    prefix text := 'wattswarm_' || log_schema || '_';
    is_superuser boolean := (select rolsuper from pg_roles where rolname = current_user);
    purpose text;
begin
    if not (select rolsuper or rolcreaterole from pg_roles where rolname = current_user) then
        return;
    end if;
    foreach purpose in array array['log', 'projection', 'local', 'reader'] loop
        begin
            execute format('create role %I nologin', prefix || purpose);
        exception when duplicate_object or unique_violation then
            null;
        end;
        -- Who creates a role may administer it, but take it only when it is granted as well (since PostgreSQL 16).
        if not is_superuser then
            begin
                execute format('grant %I to current_user', prefix || purpose);
            exception when insufficient_privilege then
                return;
            end;
        end if;
        execute format('grant usage on schema %I, %I to %I', log_schema, local_schema, prefix || purpose);
        execute format('grant select on all tables in schema %I to %I', log_schema, prefix || purpose);
        execute format('grant select on all tables in schema %I to %I', local_schema, prefix || purpose);
    end loop;
    execute format('grant insert on %I.sel_events, %1$I.lanes, %1$I.own_locks to %I', log_schema, prefix || 'log');
    execute format('grant insert, update on %I.sel_nodes, %1$I.lane_roots to %I', log_schema, prefix || 'log');
    execute format('grant update on %I.sel_head to %I', log_schema, prefix || 'log');
    execute format('grant update on %I.own_signing to %I', local_schema, prefix || 'log');
    execute format('grant insert, update, delete on all tables in schema %I to %I', local_schema, prefix || 'local');
    execute format('grant update (feed_epoch) on %I.sel_head to %I', log_schema, prefix || 'local');
end
$$;
