/**
 * Loaded before a program in a test (`node --import`): names below `.svc` resolve to what a file says at this moment,
 * like those of a cluster's own name service, and are unknown if the file does not have them. Other names are looked up
 * as usual.
 */
import dns from 'node:dns';
import { readFileSync } from 'node:fs';

const file = process.env['POD_NAMES_FILE'];
const [lookup, promised] = [dns.lookup, dns.promises.lookup];

function addressesOf(name) {
  const known = JSON.parse(readFileSync(file, 'utf8'))[name] ?? [];
  if (known.length > 0) return known.map((address) => ({ address, family: 4 }));
  const error = new Error(`getaddrinfo ENOTFOUND ${name}`);
  throw Object.assign(error, { code: 'ENOTFOUND', errno: -3008, syscall: 'getaddrinfo', hostname: name });
}

dns.lookup = (name, ...rest) => {
  if (!name.endsWith('.svc')) return lookup(name, ...rest);
  const done = rest.at(-1);
  const { all = false } = typeof rest[0] === 'object' ? rest[0] : {};
  setImmediate(() => {
    let found;
    try {
      found = addressesOf(name);
    } catch (error) {
      return done(error);
    }
    return all ? done(null, found) : done(null, found[0].address, 4);
  });
};

dns.promises.lookup = async (name, options) => {
  if (!name.endsWith('.svc')) return promised(name, options);
  const found = addressesOf(name);
  return options?.all === true ? found : found[0];
};
