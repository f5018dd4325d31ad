-- Uses: bytea, generate_series, on conflict do nothing, subquery in an insert, view
--
-- The schema of sql/migrations for the relatives of PostgreSQL that spread their rows (postgres.compat, docs/SCALE.md):
-- the same tables and columns, which a test compares, without what one of the relatives lacks or does not heed. Each statement
-- is sent by itself, and may be sent again and by many nodes at once: none of the relatives has a lock that all heed, nor
-- changes its schema in a transaction as PostgreSQL does.

-- The founding in force: at most one row, which is also the fence: see compat-statements.ts.
create table if not exists causeway.cluster (
  id smallint primary key default 1 check (id = 1),
  cluster_id text not null,
  life integer not null check (life >= 1),
  identity text not null,
  founded_at timestamptz not null default now(),
  floor bigint not null default 0 check (floor between 0 and 9007199254740991)
);

-- Keys are ordered by their bytes because the database orders all text so: nodes look whether it does.
create table if not exists causeway.record (
  key text primary key check (octet_length(key) between 1 and 1024),
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
  content_type text,
  check (value is not null or deleted)
);

-- Ascending, said in so many words: YugabyteDB would spread the first column by its hash, and pages could not be read in order.
create index if not exists record_slot_key on causeway.record (slot asc, key asc);

create table if not exists causeway.slot_floor (
  slot integer primary key check (slot between 0 and 16383),
  version bigint not null check (version between 0 and 9007199254740991),
  raised_at timestamptz not null,
  turn bigint not null default 0
);

insert into causeway.slot_floor (slot, version, raised_at) select g.slot, 0, now() from generate_series(0, 16383) as g(slot)
on conflict (slot) do nothing;

create or replace view causeway.live as
with live as (
  select key, value, created_at, updated_at, expires_at, version, content_type
  from causeway.record
  where not deleted and (expires_at is null or expires_at > now())
)
select key, value, created_at, updated_at, expires_at, version, content_type from live;

create or replace view public.kv_store as
select key, value, created_at, updated_at, expires_at, version from causeway.live;
