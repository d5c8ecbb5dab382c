// Hosts on one machine: network namespaces on a bridge, and a capture of every frame that crosses it. Root alone.
import { execFileSync, spawn } from 'node:child_process';

const BRIDGE = 'entrainbr';
/** Names of its ports begin so: frames between them are not seen at the bridge itself. */
const PORT = 'ebr';
const ip = (...argv) => execFileSync('ip', argv, { stdio: ['ignore', 'ignore', 'pipe'] });

/** @returns a host by name: its address, how a program is started there, and how its link is cut */
export function layNetwork(names) {
  removeNetwork(names);
  ip('link', 'add', BRIDGE, 'type', 'bridge');
  ip('link', 'set', BRIDGE, 'up');
  const hosts = new Map();
  for (const [i, name] of names.entries()) {
    const [space, outer, inner] = [spaceOf(name), `${PORT}${i}`, `ehost${i}`];
    const address = `10.77.0.${i + 1}`;
    ip('netns', 'add', space);
    ip('link', 'add', outer, 'type', 'veth', 'peer', 'name', inner);
    ip('link', 'set', outer, 'master', BRIDGE, 'up');
    ip('link', 'set', inner, 'netns', space);
    for (const words of [
      ['addr', 'add', `${address}/24`, 'dev', inner],
      ['link', 'set', inner, 'up'],
      ['link', 'set', 'lo', 'up'],
    ])
      ip('-n', space, ...words);
    hosts.set(name, {
      address,
      start: (argv, options) => spawn('ip', ['netns', 'exec', space, ...argv], options),
      pids: () =>
        execFileSync('ip', ['netns', 'pids', space]).toString().split('\n').filter(Boolean).map(Number),
      cut: () => ip('link', 'set', outer, 'down'),
      mend: () => ip('link', 'set', outer, 'up'),
    });
  }
  return hosts;
}

export function removeNetwork(names) {
  for (const [i, name] of names.entries()) {
    quietly('link', 'del', `${PORT}${i}`);
    quietly('netns', 'del', spaceOf(name));
  }
  quietly('link', 'del', BRIDGE);
}

const spaceOf = (name) => `entrain-${name}`;

function quietly(...argv) {
  try {
    ip(...argv);
  } catch {
    // It was not there.
  }
}

const CAPTURE = `
import socket, sys
line = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(3))
with open(sys.argv[2], 'wb') as file:
    while True:
        frame, place = line.recvfrom(65535)
        if place[0].startswith(sys.argv[1]):
            file.write(frame)
            file.flush()
`;

/** Writes every frame that a host sends or gets into a file, until its process is killed. */
export const capture = (file) =>
  spawn('python3', ['-c', CAPTURE, PORT, file], { stdio: ['ignore', 'ignore', 'inherit'] });
