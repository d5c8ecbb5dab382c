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
// A disk that has no room for what was printed says so in an event.
await new Promise((resolve) => setImmediate(resolve));
// A failed start may leave sockets or a worker open; nothing of value is pending once `run` has settled.
process.exit();
