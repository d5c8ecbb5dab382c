// Runs before anything else, so it uses nothing that an old Node does not know.
const MINIMUM = [20, 19];

/** Ends the process with one sentence when this Node is too old for entrain. */
export function requireNode(version = process.versions.node) {
  if (isSupported(version)) return;
  console.error(
    `entrain: this is Node ${version}, but entrain needs Node ${MINIMUM.join('.')} or newer; install a newer Node and run the command again.`,
  );
  process.exit(1);
}

export function isSupported(version) {
  const parts = version.split('.').map(Number);
  return parts[0] > MINIMUM[0] || (parts[0] === MINIMUM[0] && parts[1] >= MINIMUM[1]);
}
