/** What one analyzer takes from its senders: connections, bytes and time. */

export interface StreamLimits {
  maxMessageBytes: number;
  /** Bytes of a stream that may be in flight or waiting for the disk. */
  creditBytes: number;
  connections: number;
  connectionsPerAddress: number;
  /** An incomplete message is kept in memory, so one stream may not have many connections. */
  connectionsPerStream: number;
  /** Over all runs and streams of an agent. */
  connectionsPerAgent: number;
  /** What is read of an agent in a second, over all its connections; above it they wait. */
  agentBytesPerS: number;
  /** What an agent may send at once after a while of silence, as when its spool is drained. */
  agentBurstBytes: number;
  helloMs: number;
}

export const STREAM_LIMITS: StreamLimits = {
  maxMessageBytes: 16 * 2 ** 20,
  creditBytes: 8 * 2 ** 20,
  connections: 1024,
  connectionsPerAddress: 256,
  connectionsPerStream: 3,
  connectionsPerAgent: 48,
  // Twice what the largest documented model streams with every layer and step (13 MB/s).
  agentBytesPerS: 32 * 2 ** 20,
  agentBurstBytes: 64 * 2 ** 20,
  helloMs: 5000,
};
