-- Up Migration
-- Uses: view
--
-- A value may have a content type: part of the record, and so of what `checksum` covers. Null where it has none, as in every
-- row of before: those, and what a node of an earlier version writes, stay what they are. A column without a default
-- is added without a look at the rows.

alter table causeway.record add column content_type text;

-- At the end, where a view may grow without another one having to go for it.
create or replace view causeway.live as
with live as (
  select key, value, created_at, updated_at, expires_at, version, content_type
  from causeway.record
  where not deleted and (expires_at is null or expires_at > now())
)
select key, value, created_at, updated_at, expires_at, version, content_type from live;
