/** The NATS server as the coordinator sees it; asked anew for each scrape. */
import { Gauge, type Registry } from 'prom-client';
import { brokerFigures, type BrokerFigures } from '../../transport/nats/broker-figures.ts';
import type { NatsLink } from '../../transport/nats/connection.ts';

/** Scrapes that come together ask once. */
const FRESH_MS = 500;

interface Series {
  name: string;
  help: string;
  of(figures: BrokerFigures): number | undefined;
}

const SERIES: readonly Series[] = [
  {
    name: 'entrain_nats_store_bytes',
    help: 'Bytes that streams and buckets of this account take on the disks of NATS.',
    of: ({ store }) => store?.bytes,
  },
  {
    name: 'entrain_nats_streams',
    help: 'JetStream streams of this account, buckets included.',
    of: ({ store }) => store?.streams,
  },
  {
    name: 'entrain_nats_consumers',
    help: 'JetStream consumers of this account.',
    of: ({ store }) => store?.consumers,
  },
  {
    name: 'entrain_nats_round_trip_seconds',
    help: 'Time from the coordinator to its NATS server and back; absent while it does not answer.',
    of: ({ roundTrip }) => roundTrip,
  },
];

export function addBrokerMetrics(registry: Registry, link: NatsLink): void {
  const registers = [registry];
  const ask = shared(() => brokerFigures(link));
  for (const { name, help, of } of SERIES)
    new Gauge({
      name,
      help,
      registers,
      async collect() {
        const value = of(await ask());
        if (value === undefined) this.remove();
        else this.set(value);
      },
    });
  new Gauge({
    name: 'entrain_nats_messages',
    help: 'Messages between the coordinator and NATS since it connected, sent and received.',
    labelNames: ['direction'],
    registers,
    async collect() {
      const { sent, received } = await ask();
      this.set({ direction: 'sent' }, sent);
      this.set({ direction: 'received' }, received);
    },
  });
}

function shared<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => {
    if (!answer) {
      answer = ask();
      setTimeout(() => (answer = undefined), FRESH_MS).unref();
    }
    return answer;
  };
}
