/** What clients are told about the server; some of them choose commands by it. */

/**
 * The version of Redis whose commands these are. Below 7.4 redis-py and Jedis refuse to keep copies of what they read; what 7.4 brought
 * besides is for hashes and streams, for the age of connections (`CLIENT KILL MAXAGE`), and for the number of watched keys.
 */
export const REDIS_VERSION = '7.4.0';
