-- name: drop_shadow
do $$
begin
    execute format('drop schema if exists %I cascade', current_setting('wattswarm.shadow_schema'));
end
$$

-- name: swap
-- Readers find tables by name, so that the next statement of each sees the new set. Writers of the old set are
-- waited for by the drop; what they wrote is lost with it, and their next step finds its cursor elsewhere.
do $$
declare
    live text := current_setting('wattswarm.live_schema');
    shadow text := current_setting('wattswarm.shadow_schema');
begin
    execute format('alter schema %I rename to %I', live, live || '_old');
    execute format('alter schema %I rename to %I', shadow, live);
    execute format('drop schema %I cascade', live || '_old');
end
$$

-- name: name_schemas
select set_config('wattswarm.live_schema', %(live)s, false), set_config('wattswarm.shadow_schema', %(shadow)s, false)
