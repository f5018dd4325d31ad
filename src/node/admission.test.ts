/** The fixed limits on operations at a node, in number and in bytes, for clients and for other nodes. */
import { expect, test } from 'vitest';
import {
  FORWARDED_BYTES_RESERVED,
  FORWARDED_IN_FLIGHT_MAX,
  OPERATIONS_IN_FLIGHT_MAX,
  OPERATION_BYTES_IN_FLIGHT_MAX,
} from '../core/limits.ts';
import { Admission } from './admission.ts';

test('as many as may be in flight: the next is refused, and taken when one has ended', () => {
  const admission = new Admission();
  for (let count = 0; count < OPERATIONS_IN_FLIGHT_MAX; count += 1)
    expect(admission.refusal('client', count % 2 === 0 ? 'read' : 'write', 1)).toBeNull();
  expect(admission.refusal('client', 'write', 1)?.code).toBe('overloaded');
  expect(admission.refusal('client', 'read', 1)?.code).toBe('overloaded');
  for (let count = 0; count < FORWARDED_IN_FLIGHT_MAX; count += 1)
    expect(admission.refusal('peer', 'write', 1)).toBeNull();
  expect(admission.refusal('peer', 'read', 1)?.code).toBe('overloaded');
  admission.leave('client', 'read', 1, 0);
  admission.leave('peer', 'write', 1, 0);
  expect(admission.refusal('client', 'write', 1)).toBeNull();
  expect(admission.refusal('peer', 'read', 1)).toBeNull();
  expect(admission.inFlight('client')).toBe(OPERATIONS_IN_FLIGHT_MAX);
  expect(admission.write.refused + admission.read.refused).toBe(2);
});

test('values in flight fill their room: clients are refused, what other nodes hand on has room left, then that is refused, too', () => {
  const admission = new Admission();
  const half = (OPERATION_BYTES_IN_FLIGHT_MAX - FORWARDED_BYTES_RESERVED) / 2;
  expect(admission.refusal('client', 'write', half)).toBeNull();
  expect(admission.refusal('client', 'write', half)).toBeNull();
  expect(admission.refusal('client', 'write', 1)?.code).toBe('overloaded');
  expect(admission.refusal('client', 'read', 0)).toBeNull();
  expect(admission.refusal('peer', 'write', FORWARDED_BYTES_RESERVED)).toBeNull();
  expect(admission.refusal('peer', 'write', 1)?.code).toBe('overloaded');
  admission.leave('client', 'write', half, 0);
  expect(admission.refusal('client', 'write', half)?.code).toBe('overloaded');
  admission.leave('peer', 'write', FORWARDED_BYTES_RESERVED, 0);
  expect(admission.refusal('client', 'write', half)).toBeNull();
});

test('everything is admitted by a broken node: seen here', () => {
  const admission = new Admission({ admitEverything: true });
  const bytes = OPERATION_BYTES_IN_FLIGHT_MAX;
  expect(admission.refusal('client', 'write', bytes)).toBeNull();
  expect(admission.refusal('client', 'write', bytes)).toBeNull();
  expect(admission.refusal('peer', 'write', bytes)).toBeNull();
});
