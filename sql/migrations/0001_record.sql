-- Up Migration
-- Uses: bytea, collation C, storage parameters, view
--
-- The system of record: one row per key, guarded by its version, and the founding of the cluster that may
-- write. What PostgreSQL's distributed relatives have of this SQL is told in docs/SCALE.md.

-- The founding in force: at most one row. Every writing statement is guarded by its life.
create table causeway.cluster (
  id smallint primary key default 1 check (id = 1),
  cluster_id text not null,
  life integer not null check (life >= 1),
  identity text not null,
  founded_at timestamptz not null default now()
);

-- A row turns back, byte for byte, into the record that every owner holds: `checksum` is the CRC-32 of that
-- record. `value` is null in a deletion. Milliseconds are exact in timestamptz.
--
-- fillfactor leaves room in every page for heap-only updates; none of the indexed columns changes in an
-- update, which is what makes them possible. Therefore no index on version, times or deleted.
create table causeway.record (
  key text collate "C" primary key check (octet_length(key) between 1 and 1024),
  slot integer not null check (slot between 0 and 16383),
  value bytea,
  version bigint not null check (version between 0 and 9007199254740991),
  origin smallint not null check (origin between 0 and 2),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  expires_at timestamptz,
  deleted boolean not null,
  checksum bigint not null check (checksum between 0 and 4294967295),
  operation_id bytea check (octet_length(operation_id) = 16),
  check (value is not null or deleted)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 1);

create index record_slot_key on causeway.record (slot, key);

-- What a reader may see. The common table expression keeps the view from being updatable: a value changed
-- without its version and checksum would be a row that no owner agrees with.
create view causeway.live as
with live as (
  select key, value, created_at, updated_at, expires_at, version
  from causeway.record
  where not deleted and (expires_at is null or expires_at > now())
)
select key, value, created_at, updated_at, expires_at, version from live;
