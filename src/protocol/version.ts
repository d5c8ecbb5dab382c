/** Version of the wire protocol. A peer of another major version is refused; unknown fields of a newer minor one are ignored. */
export const PROTOCOL_VERSION = { major: 1, minor: 2 } as const;
