/** What can be told of the containers without an engine: every file, name and secret that they mention is there. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

interface Service {
  image: string;
  build?: { context: string; dockerfile: string };
  hostname?: string;
  command?: string[];
  environment?: Record<string, string>;
  ports?: string[];
  volumes?: string[];
  secrets?: (string | { source: string; target: string })[];
  configs?: { source: string; target: string }[];
  depends_on?: Record<string, unknown>;
}

interface Compose {
  services: Record<string, Service>;
  volumes: Record<string, null>;
  secrets: Record<string, { file: string }>;
  configs: Record<string, { file: string }>;
}

const compose = parse(readFileSync('deploy/compose.yaml', 'utf8'), { merge: true }) as Compose;
const services = Object.entries(compose.services);
const programs = services.filter(([, { image }]) => image === 'entrain');
const dockerfile = readFileSync('deploy/Dockerfile', 'utf8');
const users = ['analyzer', 'coordinator', 'agent-ada', 'agent-ben', 'viewer'];

describe('compose.yaml', () => {
  it('runs NATS, the four programs with two agents, Prometheus and Grafana', () => {
    expect(services.map(([name]) => name).toSorted()).toEqual([
      'agent-ada',
      'agent-ben',
      'analyzer',
      'coordinator',
      'grafana',
      'nats',
      'prometheus',
      'viewer',
    ]);
    expect(programs.map(([name]) => name).toSorted()).toEqual(users.toSorted());
  });

  it('mounts files and volumes that exist', () => {
    for (const source of services
      .flatMap(([, { volumes = [] }]) => volumes)
      .map((mount) => mount.split(':')[0] ?? '')) {
      if (source.startsWith('.')) expect(existsSync(`deploy/${source}`), source).toBe(true);
      else expect(Object.keys(compose.volumes)).toContain(source);
    }
  });

  it('defines every secret that it uses, and uses every one that it defines', () => {
    const used = services.flatMap(([, { secrets = [] }]) =>
      secrets.map((s) => (typeof s === 'string' ? s : s.source)),
    );
    expect([...new Set(used)].toSorted()).toEqual(Object.keys(compose.secrets).toSorted());
  });

  it('lets each program in as its own user, with a password from a file that it mounts', () => {
    for (const [name, { environment, secrets }] of programs) {
      expect(environment?.['NATS_USER']).toBe(name);
      expect(environment?.['NATS_PASSWORD_FILE']).toBe(`/run/secrets/${name}-password`);
      expect(secrets).toContain(`${name}-password`);
    }
  });

  it('gives the coordinator the study that STUDY names, the demo without it', () => {
    const { command = [], configs = [] } = compose.services['coordinator'] ?? {};
    const [mounted] = configs;
    expect(flag(command, '--study')).toBe(mounted?.target);
    const { file = '' } = compose.configs[mounted?.source ?? ''] ?? {};
    const [, usual = ''] = /^\$\{STUDY:-(.+)\}$/.exec(file) ?? [];
    expect(existsSync(`deploy/${usual}`), usual).toBe(true);
  });

  it('holds no secret itself, and publishes ports on loopback alone', () => {
    expect(readFileSync('deploy/compose.yaml', 'utf8')).not.toMatch(/PASSWORD: |TOKEN: /);
    const ports = services.flatMap(([, service]) => service.ports ?? []);
    expect(ports.length).toBeGreaterThan(0);
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  it('gives every program to Prometheus under the name on which it listens', () => {
    const config = parse(readFileSync('deploy/prometheus.yml', 'utf8')) as {
      scrape_configs: { static_configs: { targets: string[] }[] }[];
    };
    const targets = config.scrape_configs.flatMap((job) =>
      job.static_configs.flatMap((group) => group.targets),
    );
    const listening = programs.map(
      ([, { command = [] }]) => `${flag(command, '--host')}:${flag(command, '--port')}`,
    );
    expect(targets.toSorted()).toEqual(listening.toSorted());
    for (const [name, { hostname, command = [] }] of programs)
      expect([hostname, flag(command, '--host')]).toEqual([name, name]);
  });
});

describe('the Dockerfile', () => {
  it('copies what the repository has and .dockerignore lets through', () => {
    const allowed = readFileSync('.dockerignore', 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const copies = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap((match) =>
      (match[1] ?? '').split(' '),
    );
    expect(copies.length).toBeGreaterThan(5);
    for (const source of copies) {
      expect(existsSync(source), source).toBe(true);
      expect(
        allowed.some((path) => source === path || source.startsWith(`${path}/`)),
        source,
      ).toBe(true);
    }
  });

  it('brings the model that the agents of compose.yaml and of entrain start run', () => {
    const brought = /^COPY (models\/\S+) /m.exec(dockerfile)?.[1];
    const agents = programs.filter(([name]) => name.startsWith('agent-'));
    expect(agents.map(([, { command = [] }]) => flag(command, '--model'))).toEqual(
      agents.map(() => `/app/${brought}`),
    );
    expect(readFileSync('src/cli/start/start-settings.ts', 'utf8')).toContain(`'${brought}'`);
  });

  it('runs as an ordinary user and says whether it is well', () => {
    expect(dockerfile).toMatch(/^USER node$/m);
    expect(dockerfile).toMatch(/^HEALTHCHECK .*healthcheck\.js/m);
    expect(dockerfile.lastIndexOf('USER node')).toBeGreaterThan(dockerfile.lastIndexOf('\nFROM'));
  });
});

describe('Grafana', () => {
  it('finds the dashboards where compose mounts them', () => {
    const provider = parse(readFileSync('deploy/grafana/provisioning/dashboards/entrain.yaml', 'utf8')) as {
      providers: { options: { path: string } }[];
    };
    const mounted = compose.services['grafana']?.volumes?.find((mount) =>
      mount.startsWith('./grafana/dashboards'),
    );
    expect(mounted?.split(':')[1]).toBe(provider.providers[0]?.options.path);
  });
});

const flag = (command: string[], name: string): string | undefined => command[command.indexOf(name) + 1];
