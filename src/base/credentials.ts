/** Texts for people, without what an address may carry: the name and the password in a URL. */

const IN_ADDRESS = /\/\/[^\s/@]+@/g;

export function withoutCredentials(text: string): string {
  return text.replace(IN_ADDRESS, '//[hidden]@');
}
