-- Up Migration
--
-- Who raises a floor does so on what it has read of it, once. A statement that hangs on its way must not raise it later, when
-- its sender is gone and others have gone on from what stood.

alter table causeway.slot_floor add column turn bigint not null default 0;
