/** Removes secrets from texts for people: the user name and password in a URL. */

/** Shown in place of a setting's secret. */
export const HIDDEN = '***';

/** Up to the last @ of the authority part: programs accept passwords that contain one. */
const IN_ADDRESS = /\/\/[^\s/]+@/g;

/** For a text that may contain any URL. */
export function withoutCredentials(text: string): string {
  return text.replace(IN_ADDRESS, '//[hidden]@');
}

/** For the URL of a database, which stays readable: keeps only parameters known not to be secret. */
export function postgresUrlShown(url: string): string {
  return url
    .replace(/^(\w+:\/\/[^:/@]*):.*@(?=[^@]*$)/, `$1:${HIDDEN}@`)
    .replace(/([?&])([^=&]+)=([^&]*)/g, (whole, mark: string, name: string) =>
      /^(sslmode|host|port|user|application_name|connect_timeout)$/.test(name)
        ? whole
        : `${mark}${name}=${HIDDEN}`,
    );
}
