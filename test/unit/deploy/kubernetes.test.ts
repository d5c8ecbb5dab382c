/**
 * deploy/kubernetes: each document follows the schema of its kind, has no field that the schema does not know, and what
 * one names the others have. A cluster is not needed for that.
 */
import { readdir, readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import {
  PrometheusRule,
  ServiceMonitor,
} from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import { StatefulSet } from 'kubernetes-models/apps/v1';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { Namespace, Service } from 'kubernetes-models/v1';

const BASE = 'deploy/kubernetes/base';

type Labels = Record<string, string>;
interface Document {
  kind: string;
  metadata: { name: string };
  spec: {
    selector?: Labels & { matchLabels?: Labels };
    podSelector?: { matchLabels?: Labels };
    groups?: unknown;
    serviceName?: string;
    template?: Pod;
  };
}
interface Pod {
  metadata: { labels: Labels };
  spec: {
    containers: {
      ports: { name: string }[];
      volumeMounts: { name: string }[];
      env: { name: string; value?: string }[];
      args: string[];
    }[];
    volumes: { name: string }[];
  };
}

const MODELS: Record<
  string,
  (new (data: never) => { validate(): void }) & { prototype: { validate(): void } }
> = {
  Namespace,
  Service,
  PodDisruptionBudget,
  StatefulSet,
  NetworkPolicy,
  ServiceMonitor,
  PrometheusRule,
};

async function documents(folder = BASE): Promise<Document[]> {
  const files = (await readdir(folder)).filter(
    (file) => file.endsWith('.yaml') && file !== 'kustomization.yaml',
  );
  const texts = await Promise.all(files.map((file) => readFile(`${folder}/${file}`, 'utf8')));
  return texts.flatMap((text) =>
    parseAllDocuments(text, { merge: true }).map((one) => one.toJS() as Document),
  );
}

/** A copy that notes which of its fields are read: a validator reads those that its schema knows, or all of a map. */
function noting<T extends object>(data: T, path: string, unread: Set<string>): T {
  const copy = Object.entries(data).map(([key, value]: [string, unknown]) => {
    const at = `${path}.${key}`;
    unread.add(at);
    return [key, typeof value === 'object' && value !== null ? noting(value, at, unread) : value] as const;
  });
  const target = (Array.isArray(data) ? copy.map(([, value]) => value) : Object.fromEntries(copy)) as T;
  return new Proxy(target, {
    get: (of, key) => {
      unread.delete(`${path}.${String(key)}`);
      return Reflect.get(of, key) as unknown;
    },
    ownKeys: (of) => {
      for (const key of Object.keys(of)) unread.delete(`${path}.${key}`);
      return Reflect.ownKeys(of);
    },
  });
}

/** @returns the fields that the schema of its kind does not know */
function strangeFields(document: Document): string[] {
  const Model = MODELS[document.kind];
  if (!Model) throw new Error(`no schema for ${document.kind}`);
  const plain = structuredClone(document);
  new Model(plain as never).validate();
  const unread = new Set<string>();
  const noted = noting(plain, document.kind, unread);
  Model.prototype.validate.call(noted);
  return [...unread].filter((path) => !path.includes('.labels.') && !path.includes('.matchLabels.'));
}

it('follows the schemas, and has no field that they do not know', async () => {
  const all = await documents();
  expect(all.length).toBeGreaterThan(15);
  for (const document of all) expect(strangeFields(document), document.metadata.name).toEqual([]);
  const [set] = all.filter(({ kind }) => kind === 'StatefulSet');
  const typo = structuredClone(set) as Document & { spec: { replicaz?: number } };
  typo.spec.replicaz = 3;
  expect(strangeFields(typo)).toEqual(['StatefulSet.spec.replicaz']);
});

it('has a service, a budget and a policy for each set, by the labels of its pods', async () => {
  const all = await documents();
  const sets = all.filter(({ kind }) => kind === 'StatefulSet');
  expect(sets.map(({ metadata }) => metadata.name).toSorted((a, b) => a.localeCompare(b))).toEqual([
    'agent',
    'analyzer',
    'coordinator',
    'nats',
  ]);
  for (const { metadata, spec } of sets) {
    const labels = spec.template?.metadata.labels;
    const of = (kind: string) =>
      all.find((one) => one.kind === kind && one.metadata.name === metadata.name)?.spec;
    expect(of('Service')?.selector, metadata.name).toEqual(labels);
    expect(of('PodDisruptionBudget')?.selector?.matchLabels).toEqual(labels);
    expect(of('NetworkPolicy')?.podSelector?.matchLabels).toEqual(labels);
    expect(spec.serviceName).toBe(metadata.name);
    const { containers, volumes } = (spec.template as Pod).spec;
    const there = new Set(['data', ...volumes.map(({ name }) => name)]);
    for (const { volumeMounts, env, args } of containers) {
      expect(volumeMounts.filter(({ name }) => !there.has(name))).toEqual([]);
      // Kubernetes puts a variable only into those behind it.
      expect(env[0]?.name).toBe('POD_NAME');
      expect(args.join(' ')).not.toMatch(/password/);
    }
  }
});

it('has the rules of deploy/', async () => {
  const rule = (await documents()).find(({ kind }) => kind === 'PrometheusRule');
  const files = await Promise.all(['alerts', 'rules'].map((name) => readFile(`deploy/${name}.yml`, 'utf8')));
  expect(rule?.spec.groups).toEqual(files.flatMap((text) => (parse(text) as { groups: unknown[] }).groups));
});

it('lists every file of the base, and patches what is there', async () => {
  const read = async (file: string) =>
    parse(await readFile(`deploy/kubernetes/${file}`, 'utf8')) as Record<string, unknown>;
  const { resources } = (await read('base/kustomization.yaml')) as { resources: string[] };
  const files = (await readdir(BASE)).filter(
    (file) => file.endsWith('.yaml') && file !== 'kustomization.yaml',
  );
  expect(new Set(resources)).toEqual(new Set(files));
  const patch = (await read('gpu/agent.yaml')) as unknown as Document;
  const all = await documents();
  const patched = all.find(
    ({ kind, metadata }) => kind === patch.kind && metadata.name === patch.metadata.name,
  );
  expect(strangeFields({ ...patch, spec: { ...patched?.spec, ...patch.spec } })).toEqual([]);
});
