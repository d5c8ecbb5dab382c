/**
 * The `entrain` command: reports every known fault as one sentence with a non-zero exit status. All else is loaded
 * later: where too few files may be open, an error has to find its words loaded.
 */
import '../process/telemetry-off.ts';
import { reportError, reportUncaught } from './report-error.ts';

reportUncaught();
process.exitCode = await import('./run-command.ts')
  .then(({ runCommand }) => runCommand(process.argv.slice(2)))
  .catch(reportError);
// A pipe takes 64 KB at once; the rest waits for its reader, and would be lost.
await Promise.all([process.stdout, process.stderr].map(allTaken));
// A disk that has no room for what was printed says so in an event.
await new Promise((resolve) => setImmediate(resolve));
// A failed start may leave sockets or a worker open; nothing of value is pending once `run` has settled.
process.exit();

function allTaken(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.writableLength === 0) return resolve();
    stream.write('', () => resolve());
  });
}
