/** What clients are told about the server; some of them choose commands by it. */

/** The version of Redis whose commands these are. */
export const REDIS_VERSION = '7.2.0';
