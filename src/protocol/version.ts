/**
 * Version of the wire protocol. A peer of another major version is refused; unknown fields of a newer minor
 * version are ignored.
 */
export const PROTOCOL_VERSION = { major: 2, minor: 0 } as const;
