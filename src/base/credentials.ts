/** Texts for people, without what an address may carry: the name and the password in a URL. */

/** What stands where a setting has a secret. */
export const HIDDEN = '***';

/** Up to the last @ of the host's part: programs take a password that has one in it. */
const IN_ADDRESS = /\/\/[^\s/]+@/g;

/** Of a text that may have any address in it. */
export function withoutCredentials(text: string): string {
  return text.replace(IN_ADDRESS, '//[hidden]@');
}

/** Of the address of a database, which stays readable: of its parameters only those that are known to be no secret. */
export function postgresUrlShown(url: string): string {
  return url
    .replace(/^(\w+:\/\/[^:/@]*):.*@(?=[^@]*$)/, `$1:${HIDDEN}@`)
    .replace(/([?&])([^=&]+)=([^&]*)/g, (whole, mark: string, name: string) =>
      /^(sslmode|host|port|user|application_name|connect_timeout)$/.test(name)
        ? whole
        : `${mark}${name}=${HIDDEN}`,
    );
}
