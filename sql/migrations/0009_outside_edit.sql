-- Up Migration
-- Uses: bytea, collation C, functions and triggers, server settings, session settings
--
-- Rows that somebody changes by hand are noted, and the cluster takes each change as a write of its own (decision 43). Who writes
-- a version or a checksum knows what it does, and is not looked at: every node of the cluster of whatever age, and who copies whole rows. A
-- change by hand leaves them out: where the row keeps it, the row then shows what was made of it, under the version and
-- the checksum of what it was made on. So a write that was committed is still found to be.

-- The version that the row was changed on by hand; another one than the row's own says nothing any more. And whether that was a value.
alter table causeway.record add column edited_on bigint, add column edited_value boolean;

create table causeway.outside_edit (
  id bigint generated always as identity primary key,
  key text collate "C" not null,
  -- 0: there was no row.
  base bigint not null,
  on_value boolean not null,
  -- It was made on a row that showed another such change, which the cluster has written meanwhile: `base` is that version.
  is_chained boolean not null default false,
  deleted boolean not null,
  value bytea,
  content_type text,
  expires_at timestamptz,
  noted_ms bigint not null
);

create index outside_edit_key on causeway.outside_edit (key, id);

-- As Redis Cluster computes it: CRC-16 of the key, or of what stands between its first braces.
create function causeway.slot_of(key text) returns integer language plpgsql immutable strict as $$
declare
  bytes bytea := convert_to(key, 'UTF8');
  opened integer := position('\x7b'::bytea in bytes);
  closed integer;
  crc integer := 0;
begin
  if opened > 0 then
    closed := position('\x7d'::bytea in substring(bytes from opened + 1));
    if closed > 1 then
      bytes := substring(bytes from opened + 1 for closed - 1);
    end if;
  end if;
  for at in 0 .. length(bytes) - 1 loop
    crc := crc # (get_byte(bytes, at) << 8);
    for step in 1 .. 8 loop
      crc := ((crc << 1) # case when crc & 32768 = 0 then 0 else 4129 end) & 65535;
    end loop;
  end loop;
  return crc & 16383;
end
$$;

-- Whoever may change rows need have no rights on the notes: these functions run as who owns them.
create function causeway.note_edit(changed causeway.record) returns void language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
  insert into causeway.outside_edit (key, base, on_value, deleted, value, content_type, expires_at, noted_ms)
  values (changed.key, changed.edited_on, changed.edited_value, changed.deleted, changed.value, changed.content_type,
    case when isfinite(changed.expires_at) then changed.expires_at end,
    (extract(epoch from clock_timestamp()) * 1000)::bigint);
end
$$;

-- The row of a deletion makes room: of it only its version counts.
create function causeway.fill_inserted() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
declare
  gone causeway.record;
  before text := coalesce(current_setting('causeway.unwatched', true), '');
  moment timestamptz := date_trunc('milliseconds', clock_timestamp());
begin
  perform set_config('causeway.unwatched', 'on', true);
  delete from causeway.record r where r.key = new.key and r.deleted returning * into gone;
  perform set_config('causeway.unwatched', before, true);
  new.slot := causeway.slot_of(new.key);
  new.version := coalesce(gone.version, 0);
  new.checksum := coalesce(gone.checksum, 0);
  new.origin := 2;
  new.operation_id := null;
  new.created_at := coalesce(new.created_at, moment);
  new.updated_at := moment;
  new.deleted := false;
  new.edited_on := new.version;
  new.edited_value := coalesce(gone.edited_on = gone.version and gone.edited_value, false);
  return new;
end
$$;

create function causeway.note_inserted() returns trigger language plpgsql as $$
begin
  perform causeway.note_edit(new);
  return null;
end
$$;

create function causeway.note_updated() returns trigger language plpgsql as $$
declare
  moment timestamptz := date_trunc('milliseconds', clock_timestamp());
begin
  if new.key <> old.key then
    raise exception 'the key of a row of causeway.record cannot be changed'
      using errcode = 'feature_not_supported', hint = 'Insert the one and delete the other.';
  end if;
  if not isfinite(new.expires_at) then
    new.expires_at := null;
  end if;
  if new.deleted then
    new.value := null;
    new.content_type := null;
    new.expires_at := null;
  end if;
  if (new.value, new.deleted, new.content_type, new.expires_at)
      is not distinct from (old.value, old.deleted, old.content_type, old.expires_at) then
    return new;
  end if;
  new.slot := old.slot;
  new.checksum := old.checksum;
  new.origin := 2;
  new.operation_id := null;
  new.created_at := case when old.deleted then moment else old.created_at end;
  new.updated_at := moment;
  new.edited_on := old.version;
  new.edited_value := case
    when old.edited_on = old.version then old.edited_value
    else not old.deleted and (old.expires_at is null or old.expires_at > moment)
  end;
  perform causeway.note_edit(new);
  return new;
end
$$;

-- The row stands on as that of a deletion. What it was made on must not look as if it had never been committed.
create function causeway.keep_deleted() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
declare
  moment timestamptz := date_trunc('milliseconds', clock_timestamp());
begin
  insert into causeway.record (key, slot, version, origin, created_at, updated_at, deleted, checksum, edited_on, edited_value)
  values (old.key, old.slot, old.version, 2, old.created_at, moment, true, old.checksum, old.version,
    case
      when old.edited_on = old.version then old.edited_value
      else old.expires_at is null or old.expires_at > moment
    end);
  return null;
end
$$;

create function causeway.refuse_truncate() returns trigger language plpgsql as $$
begin
  raise exception 'causeway.record cannot be truncated: the cluster would go on with what it holds'
    using errcode = 'feature_not_supported', hint = 'DELETE FROM causeway.record deletes every key, in the cluster, too.';
end
$$;

create trigger fill_inserted before insert on causeway.record
  for each row when (new.version is null) execute function causeway.fill_inserted();
create trigger note_inserted after insert on causeway.record
  for each row when (new.edited_on = new.version) execute function causeway.note_inserted();
create trigger note_updated before update on causeway.record
  for each row when (new.version = old.version and new.checksum = old.checksum
    and current_setting('causeway.unwatched', true) is distinct from 'on')
  execute function causeway.note_updated();
create trigger keep_deleted after delete on causeway.record
  for each row when ((not old.deleted or old.edited_on = old.version) and current_setting('causeway.unwatched', true) is distinct from 'on')
  execute function causeway.keep_deleted();
create trigger refuse_truncate before truncate on causeway.record
  for each statement when (current_setting('causeway.unwatched', true) is distinct from 'on')
  execute function causeway.refuse_truncate();
