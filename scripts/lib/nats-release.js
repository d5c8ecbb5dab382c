// The official nats-server release for this platform, pinned by the SHA-256 of its archive.
import { createHash } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { isExecutable, runCommand } from './command.js';
import { cacheFolder } from './paths.js';
import { SetupError, say } from './setup-error.js';

const VERSION = '2.11.8';
/** From the SHA256SUMS of the release. */
const HASHES = {
  'linux-amd64': '397a6deffb5533e160de0cca322bc3dcaec7fb7282d66a3dfa87a9c183152ad1',
  'linux-arm64': 'b08936cb1dc0ae7086137bda14c352df64397c4af45ed2b392705c19585aeb84',
  'darwin-amd64': '002c943c1ed39c55cc5e024debfc02685111fcb2b1cbd887aad39ac977037477',
  'darwin-arm64': '23e0c5354c2da385708946a21900c944fcb9a3bbfd02aae27a4ae750dea0b682',
};
const DOWNLOAD_TIMEOUT_MS = 120_000;

/** The release of this platform: `{ name, hash, url, folder }`, or nothing when there is none we know the hash of. */
export function releaseFor(platform, arch) {
  const target = `${platform}-${arch === 'x64' ? 'amd64' : arch}`;
  const hash = HASHES[target];
  if (hash === undefined) return undefined;
  const name = `nats-server-v${VERSION}-${target}`;
  const url = `https://github.com/nats-io/nats-server/releases/download/v${VERSION}/${name}.tar.gz`;
  return { name, hash, url, folder: `${cacheFolder}/${name}` };
}

/** The path of the downloaded server, or nothing when this platform has no release here. */
export async function downloadNatsServer(release = releaseFor(process.platform, process.arch)) {
  if (release === undefined) return undefined;
  const program = `${release.folder}/nats-server`;
  if (await isExecutable(program)) return program;
  say(`downloading ${release.name}`);
  const archive = await fetchArchive(release.url);
  checkArchive(archive, release);
  await unpack(archive, release);
  return program;
}

async function fetchArchive(url) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS) });
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    return Buffer.from(await response.arrayBuffer());
  } catch (error) {
    const reason = error.cause?.message ?? error.message;
    throw new SetupError(
      `nats-server could not be downloaded (${reason}); install nats-server 2.9.10 or newer yourself and put it on PATH, or set NATS_URL to a server that runs.`,
    );
  }
}

export function checkArchive(archive, { name, hash }) {
  const found = createHash('sha256').update(archive).digest('hex');
  if (found === hash) return;
  throw new SetupError(
    `the download of ${name} has SHA-256 ${found} instead of ${hash}, so it was thrown away; install nats-server 2.9.10 or newer yourself, or set NATS_URL.`,
  );
}

/** Unpacks beside the target and renames, so that an interrupted set-up leaves no half a server. */
async function unpack(archive, { name, folder }) {
  const staging = `${cacheFolder}/unpacking-${process.pid}`;
  await mkdir(staging, { recursive: true });
  try {
    await writeFile(`${staging}/archive.tar.gz`, archive);
    const { status, output } = await runCommand('tar', ['-xzf', 'archive.tar.gz'], {
      quiet: true,
      cwd: staging,
    });
    if (status !== 0) throw new SetupError(`tar could not unpack nats-server: ${output.trim()}.`);
    await rm(folder, { recursive: true, force: true });
    await rename(`${staging}/${name}`, folder);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}
