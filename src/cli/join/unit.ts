/** The systemd unit of a machine that has joined. */
import { userInfo } from 'node:os';
import { fileURLToPath } from 'node:url';

const COMMAND = fileURLToPath(new URL('../entrain.js', import.meta.url));

export const UNIT = 'entrain-joined.service';

/**
 * @param argv flags of `entrain join`, without the token: it is used up
 * @param recordings folder to which it writes besides `data`
 */
export function unitText(argv: readonly string[], data: string, recordings?: string): string {
  const written = [data, ...(recordings === undefined ? [] : [recordings])].map(word).join(' ');
  const command = [process.execPath, COMMAND, 'join', ...argv].map(ofCommand).join(' ');
  return `[Unit]
Description=entrain: agents or analyzer of this machine
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart=${command}
Restart=always
RestartSec=5
TimeoutStopSec=30
User=${userInfo().username}
WorkingDirectory=${data.replaceAll('%', '%%')}
ReadWritePaths=${written}
NoNewPrivileges=yes
ProtectSystem=strict
PrivateTmp=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictSUIDSGID=yes
LockPersonality=yes
UMask=0077

[Install]
WantedBy=multi-user.target
`;
}

/** A word of a list as systemd reads it. */
const word = (text: string): string => `"${text.replaceAll('%', '%%').replaceAll(/["\\]/g, '\\$&')}"`;

/** The same of a command, in which variables are filled in. */
const ofCommand = (text: string): string => word(text.replaceAll('$', '$$$$'));
