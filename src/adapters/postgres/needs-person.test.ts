/** Which of PostgreSQL's errors end the wait for the server, with one code for every class of its table. */
import { expect, test } from 'vitest';
import { needsPerson } from './needs-person.ts';

const answer = (code: string): Error => Object.assign(new Error('no'), { code, severity: 'ERROR' });

// prettier-ignore
const PERSON = [
  '0A000', '0LP01', '0P000', '22023', '22P05', '28000', '28P01', '2BP01', '3D000', '3F000', '42501', '42601', '42P01', '44000',
  '53400', '54001', '55P02', '58P01', '58P02', 'F0000', 'F0001', 'XX001', 'XX002',
];
// prettier-ignore
const WAIT = [
  '01000', '02000', '03000', '08000', '08006', '08P01', '09000', '0B000', '0F000', '0Z000', '10608', '20000', '21000', '23505', '24000',
  '25006', '25P02', '26000', '27000', '2D000', '2F000', '34000', '38000', '39000', '3B000', '40001', '40P01', '53100', '53200',
  '53300', '55000', '55006', '55P03', '57014', '57P01', '57P03', '57P05', '58000', '58030', '72000', 'HV00N', 'P0001', 'XX000',
];

test.each(PERSON)('%s: only a person can put it right', (code) => {
  expect(needsPerson(answer(code))).toBe(true);
});

test.each(WAIT)('%s: it may pass', (code) => {
  expect(needsPerson(answer(code))).toBe(false);
});

test('a connection that was refused, and anything that the server did not say: it may pass', () => {
  expect(needsPerson(Object.assign(new Error('no'), { code: 'ECONNREFUSED' }))).toBe(false);
  expect(needsPerson(Object.assign(new Error('no'), { code: '28P01' }))).toBe(false);
  expect(needsPerson(undefined)).toBe(false);
});
