-- Uses: on conflict do nothing
--
-- As sql/migrations/0007_life_sign.sql.
create table if not exists causeway.life_sign (
  id smallint primary key default 1 check (id = 1),
  cluster_id text not null,
  life integer not null,
  members text not null,
  signed_at timestamptz not null
);

insert into causeway.life_sign (id, cluster_id, life, members, signed_at) values (1, '', 0, '[]', now())
on conflict (id) do nothing;
