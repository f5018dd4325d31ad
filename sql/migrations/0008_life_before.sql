-- Up Migration
--
-- The lives of the cluster of which the one in force has come: each founding notes which one it replaces, so that whoever
-- belongs to one of them is told that it is over, and nobody else. What was founded before this table was made is not in it.
create table causeway.life_before (
  life integer primary key,
  cluster_id text not null
);
