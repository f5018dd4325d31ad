/** Texts for people, without what an address may carry: the name and the password in a URL. */

/** Up to the last @ of the host's part: programs take a password that has one in it. */
const IN_ADDRESS = /\/\/[^\s/]+@/g;

export function withoutCredentials(text: string): string {
  return text.replace(IN_ADDRESS, '//[hidden]@');
}
