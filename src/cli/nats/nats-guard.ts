/**
 * Guards nats-server, which does not notice the end of its supervisor: starts it, and ends it on a signal or
 * when the supervisor is gone (standard input closes).
 *
 *   node nats-guard.js NATS_SERVER CONFIG
 */
import { spawn } from 'node:child_process';

const [binary = '', config = ''] = process.argv.slice(2);
const server = spawn(binary, ['-c', config], { stdio: ['ignore', 'inherit', 'inherit'] });

const end = (): void => void server.kill('SIGTERM');
server.once('error', (error) => {
  console.error(`entrain: nats-server could not be started: ${error.message}.`);
  process.exit(1);
});
server.once('exit', (status) => process.exit(status ?? 0));
process.on('SIGTERM', end).on('SIGINT', end);
process.stdin.on('end', end).on('error', end).resume();
