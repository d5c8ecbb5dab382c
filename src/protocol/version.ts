/**
 * Version of the wire protocol. A peer of another major version is refused; unknown fields of a newer minor
 * version are ignored.
 */
export const PROTOCOL_VERSION = { major: 2, minor: 0 } as const;

/** As programs announce it on NATS: `major.minor`. */
export const ANNOUNCED_VERSION = `${PROTOCOL_VERSION.major}.${PROTOCOL_VERSION.minor}`;

/** Major version of a program by its announcement; programs of version 1 announced none. */
export function announcedMajor(version: string | undefined): number {
  return version === undefined ? 1 : Number(version.split('.')[0]);
}
