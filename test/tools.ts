/** Real tools that tests run. A test that needs one which is not installed fails with a sentence; it is not skipped. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const SERVER_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin'];

/** Path of a program on PATH or in the usual folders of servers. */
export function findTool(name: string): string {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...SERVER_FOLDERS];
  const found = folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
  if (found === undefined) {
    throw new Error(
      `This test needs ${name}, which is not installed: run npm test as root on Debian, or install it.`,
    );
  }
  return found;
}

/** The nats-server that `npm test` found or installed, else the one on this machine. */
export function findNatsServer(): string {
  const given = process.env['ENTRAIN_NATS_SERVER'];
  return given !== undefined && given !== '' ? given : findTool('nats-server');
}
