// Which nats-server to use: the user's, one on this machine, Debian's, or the official release.
import { findPrograms, isExecutable, runCommand } from './command.js';
import { canUseApt, installPackages } from './debian.js';
import { downloadNatsServer } from './nats-release.js';
import { SetupError, say } from './setup-error.js';

/**
 * The path of a usable nats-server, found or installed. Nothing when `NATS_URL` names a running server and none is
 * `needed` beside it.
 */
export async function ensureNatsServer({ needed = false } = {}) {
  if (process.env.NATS_URL && !needed) return undefined;
  const given = process.env.ENTRAIN_NATS_SERVER;
  if (given) return checkGiven(given);
  const found = await findUsable();
  if (found !== undefined) return found;
  if (await canUseApt()) {
    await installPackages(['nats-server']);
    const installed = await findUsable();
    if (installed !== undefined) return installed;
  }
  const downloaded = await downloadNatsServer();
  if (downloaded !== undefined) return downloaded;
  throw new SetupError(
    `no nats-server was found and there is no release of it for ${process.platform} on ${process.arch}; install nats-server 2.9.10 or newer and put it on PATH, or set NATS_URL to a server that runs.`,
  );
}

async function checkGiven(path) {
  if (await isExecutable(path)) return path;
  throw new SetupError(
    `ENTRAIN_NATS_SERVER is ${path}, which is no executable file; set it to a nats-server or unset it.`,
  );
}

async function findUsable() {
  for (const path of await findPrograms('nats-server')) {
    const version = await versionOf(path);
    if (isUsable(version)) return path;
    say(`${path} is version ${version ?? 'unknown'}, which entrain does not use; looking further`);
  }
  return undefined;
}

async function versionOf(path) {
  const { output } = await runCommand(path, ['--version'], { quiet: true }).catch(() => ({ output: '' }));
  return /v(\d+\.\d+\.\d+)/.exec(output)?.[1];
}

/** At least 2.9.10, and not 2.10.20 to 2.10.27: those lost streams on kills or acknowledged on a full disk. */
export function isUsable(version) {
  const [major = 0, minor = 0, patch = 0] = (version ?? '').split('.').map(Number);
  const order = major * 1e6 + minor * 1e3 + patch;
  return order >= 2_009_010 && !(order >= 2_010_020 && order <= 2_010_027);
}
