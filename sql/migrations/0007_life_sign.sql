-- Up Migration
--
-- Who was up last in which life of the cluster, and where. A table of its own: every writing statement reads
-- causeway.cluster, and a row that is renewed every second would make that slow wherever old row versions cannot be
-- cleared away at once.
create table causeway.life_sign (
  id smallint primary key default 1 check (id = 1),
  cluster_id text not null,
  life integer not null,
  -- JSON: a list of [name, address].
  members text not null,
  signed_at timestamptz not null
);

insert into causeway.life_sign (cluster_id, life, members, signed_at) values ('', 0, '[]', now());
