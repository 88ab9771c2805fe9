-- Projections: can be dropped and made again from the log, to the last byte. No migrations: when this file
-- changes, the schema is made anew and filled from the log.

create table cursors (
    name text collate "C" not null,
    shard integer not null,
    seq bigint not null check (seq >= 0),
    primary key (name, shard)
) with (fillfactor = 50);
comment on table cursors is 'Up to which position of the log each projection and shard has been derived.';

create table groups (
    scope text collate "C" not null,
    group_id bytea not null,
    digest bytea not null check (octet_length(digest) = 32),
    row_count integer not null check (row_count > 0),
    primary key (scope, group_id)
) with (fillfactor = 70);
comment on table groups is 'Digest over the rows of each task or other group; the digest of a scope is made of these.';
