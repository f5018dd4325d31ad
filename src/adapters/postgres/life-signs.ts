/** Which life of the cluster is in force, and which members are up in it, as PostgreSQL records it. (R27) */
import type { LivingMember, StandingLife } from '../../core/lives/lives.ts';
import type { LifeName } from '../../core/membership/membership-message.ts';
import type { Connection } from './connection.ts';
import { READ_LIFE, SIGN_LIFE } from './life-statements.ts';

export async function readLife(connection: Connection, deadline: number): Promise<StandingLife | null> {
  const [row] = await connection.run(READ_LIFE, [], deadline);
  if (row === undefined) return null;
  const [clusterId, life, members, ageMs, notedAt, before] = row as [
    ...[string, number, string | null, number, number],
    string | null,
  ];
  return {
    clusterId,
    life,
    lineage: before === null ? [] : before.split(' '),
    sign: { members: members === null ? [] : membersIn(members), ageMs, notedAt },
  };
}

export async function signLife(
  connection: Connection,
  { clusterId, life }: LifeName,
  members: readonly LivingMember[],
  deadline: number,
): Promise<void> {
  const told = JSON.stringify(members.map(({ name, address }) => [name, address]));
  await connection.run(SIGN_LIFE, [clusterId, life, told], deadline);
}

function membersIn(text: string): LivingMember[] {
  const told = JSON.parse(text) as readonly [string, string][];
  return told.map(([name, address]) => ({ name, address }));
}
