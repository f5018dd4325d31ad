-- Up Migration
-- Uses: generate_series, storage parameters, subquery in an insert
--
-- Rows of old deletions are removed, and nothing that is still on its way may stand in their place afterwards.

-- Per slot: the highest version at or below which rows of deletions were removed. What comes from there is written only for
-- a writer that knew as much when it sent it. `raised_at`: by the server's clock, for no row is removed before every
-- statement has ended that may have been begun without seeing it.
create table causeway.slot_floor (
  slot integer primary key check (slot between 0 and 16383),
  version bigint not null check (version between 0 and 9007199254740991),
  raised_at timestamptz not null
) with (fillfactor = 50);

-- The highest of them all: what is above it needs no look at its own.
alter table causeway.cluster add column floor bigint not null default 0 check (floor between 0 and 9007199254740991);

-- Every slot has its row from the start, so that a prepared statement is never planned for an empty table.
insert into causeway.slot_floor (slot, version, raised_at) select slot, 0, now() from generate_series(0, 16383) as slot;
