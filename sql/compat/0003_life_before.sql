-- As sql/migrations/0008_life_before.sql.
create table if not exists causeway.life_before (
  life integer primary key,
  cluster_id text not null
);
