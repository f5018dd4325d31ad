/** What clients are told of the server, by which some of them choose what to send. */

/** The version of Redis whose commands these are. */
export const REDIS_VERSION = '7.2.0';
