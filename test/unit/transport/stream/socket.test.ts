import { pino } from 'pino';
import { expect, it } from 'vitest';
import { systemClock as clock } from '../../../../src/process/clock.ts';
import { connectStreamSocket } from '../../../../src/transport/stream/sender/socket.ts';
import { until } from '../../../fixtures/programs/demo.ts';
import { freePort } from '../../../fixtures/programs/free-port.ts';

it('the stream socket warns of an unreachable analyzer, with its address and without the token', async () => {
  const lines: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
  const url = `ws://127.0.0.1:${await freePort()}/stream`;
  const nothing = (): void => undefined;
  const handlers = { onOpen: nothing, onMessage: nothing, onClose: nothing };
  const socket = connectStreamSocket({ url: () => url, token: () => 'a-token', log, clock, ...handlers });
  await until('a warning', () => lines.find((line) => line.includes(url)));
  expect(lines[0]).toMatch(/ECONNREFUSED.*cannot be reached.*--tls-ca/);
  expect(lines.join('')).not.toContain('a-token');
  await socket.close();
});
