/** The introduction of a process, as a property test generates it. */
import fc from 'fast-check';

const whole = fc.maxSafeNat();
const text = fc.string({ unit: 'binary', maxLength: 80 });

export const introduction = fc.record({
  name: text,
  address: text,
  zone: text,
  host: text,
  incarnation: whole,
  id: fc.nat(0xffff),
  clusterId: text,
  life: whole,
  state: fc.constantFrom('blank' as const, 'entering' as const, 'serving' as const),
  epoch: whole,
  weight: fc.nat(),
  joins: fc.boolean(),
  replaces: text,
  founders: text,
  room: fc.constantFrom('enough' as const, 'low' as const, 'refusing' as const),
  protocol: fc.nat(0xff),
  doors: fc.record({ http: text, resp: text }),
});
