/** The only place that reads environment variables. An empty variable counts as unset. */
export function environment(name: string): string | undefined {
  const value = process.env[name];
  return value === '' ? undefined : value;
}

const INHERITED = ['PATH', 'HOME', 'LANG', 'TMPDIR', 'ENTRAIN_LOG', 'NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS'];

/** Variables that a child program inherits: what it needs to run, and none of the parent's secrets. */
export function childEnvironment(): Record<string, string> {
  return Object.fromEntries(
    INHERITED.flatMap((name) => (environment(name) ? [[name, environment(name) ?? '']] : [])),
  );
}
