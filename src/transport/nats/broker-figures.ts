/** What the NATS server says of the store of this account, and how many messages went over this link. */
import type { NatsLink } from './connection.ts';

export interface BrokerFigures {
  /** Bytes on its disk, streams and consumers; undefined while JetStream does not answer. */
  store: { bytes: number; streams: number; consumers: number } | undefined;
  /** Messages since the link was made. */
  sent: number;
  received: number;
  /** Seconds to the server and back; undefined while it does not answer. */
  roundTrip: number | undefined;
}

export async function brokerFigures({ connection }: NatsLink): Promise<BrokerFigures> {
  const { inMsgs: received, outMsgs: sent } = connection.stats();
  return {
    store: await storeOf(connection).catch(() => undefined),
    sent,
    received,
    roundTrip: await connection.rtt().then(
      (ms) => ms / 1000,
      () => undefined,
    ),
  };
}

async function storeOf(connection: NatsLink['connection']): Promise<BrokerFigures['store']> {
  const { storage, streams, consumers } = await (
    await connection.jetstreamManager({ checkAPI: false })
  ).getAccountInfo();
  return { bytes: storage, streams, consumers };
}
