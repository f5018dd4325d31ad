-- Uses: bytea
--
-- What sql/migrations/0009_outside_edit.sql brings, without what notes changes by hand: none of the relatives is known to have
-- triggers that do all that. The table stays empty.

alter table causeway.record add column if not exists edited_on bigint;

alter table causeway.record add column if not exists edited_value boolean;

create table if not exists causeway.outside_edit (
  id bigint primary key,
  key text not null,
  base bigint not null,
  on_value boolean not null,
  is_chained boolean not null default false,
  deleted boolean not null,
  value bytea,
  content_type text,
  expires_at timestamptz,
  noted_ms bigint not null
);
