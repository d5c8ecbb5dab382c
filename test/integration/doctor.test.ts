/** Help and doctor: what commands can be asked for and what this machine can run; what it cannot run is refused. */
import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { samplingSchema } from '../../src/protocol/study.ts';
import { PROVIDERS } from '../../src/process/flags.ts';
import { writeChatModel } from '../fixtures/onnx/chat-model.ts';

interface Answer {
  status: number | null;
  stdout: string;
  stderr: string;
}

function entrain(...argv: string[]): Promise<Answer> {
  const child = spawn(process.execPath, ['bin/entrain.js', ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
  const answer = { stdout: '', stderr: '' };
  child.stdout.on('data', (part: Buffer) => (answer.stdout += part.toString()));
  child.stderr.on('data', (part: Buffer) => (answer.stderr += part.toString()));
  return new Promise((resolve) => child.once('close', (status) => resolve({ status, ...answer })));
}

describe('entrain help agent', () => {
  it('names the flags of the agent, and where sampling is set', async () => {
    const { stdout } = await entrain('help', 'agent');
    for (const flag of ['id', 'model', 'provider', 'device', 'threads'])
      expect(stdout).toContain(`--${flag} `);
    for (const option of [...Object.keys(samplingSchema.shape), 'maxTokens', 'seed', ...PROVIDERS])
      expect(stdout).toContain(option);
  });
});

interface Machine {
  providers: { name: string; works: boolean; reason?: string; help?: string }[];
}

describe('entrain doctor', () => {
  it('tries every provider, and says why one does not work and what it needs', async () => {
    const { status, stdout, stderr } = await entrain('doctor', '--json');
    const { providers } = JSON.parse(stdout) as Machine;
    expect(status).toBe(0);
    // The runtime does not repeat the reason in its own words.
    expect(stderr).not.toMatch(/onnxruntime/);
    expect(providers.map(({ name }) => name)).toEqual([...PROVIDERS]);
    expect(providers[0]).toEqual({ name: 'cpu', works: true });
    for (const { works, reason, help } of providers)
      expect([Boolean(reason), Boolean(help)]).toEqual([!works, !works]);
  });

  it('says of a model how many of its dialogues may share a pass', async () => {
    const shared = await entrain('doctor', '--model', 'models/entrain-dialogue-300k', '--json');
    expect(JSON.parse(shared.stdout)).toMatchObject({
      sharedPasses: { model: 'entrain-dialogue-300k', rowsPerPass: 16 },
    });
    const alone = await writeChatModel({ tokens: 'bytes', template: 'own', style: { style: 'genai' } });
    expect((await entrain('doctor', '--model', alone)).stdout).toMatch(
      /passes +one dialogue of .* each: sharing would change its numbers/,
    );
  });

  it('agrees with an agent on a provider that does not work: it ends with an error, and never runs on another one', async () => {
    const { providers } = JSON.parse((await entrain('doctor', '--json')).stdout) as Machine;
    const missing = providers.filter(({ works }) => !works).map(({ name }) => name);
    const model = await writeChatModel({ tokens: 'bytes', template: 'own' });
    expect(missing.length).toBeGreaterThan(0);
    for (const provider of missing) {
      const { status, stderr } = await entrain(
        'agent',
        '--id',
        'a',
        '--model',
        model,
        '--provider',
        provider,
      );
      expect(status).toBe(1);
      // The runtime's own libraries may have printed something before.
      expect(stderr.trim().split('\n').at(-1)).toMatch(
        new RegExp(`^entrain: The provider ${provider} .*doctor`),
      );
    }
  });
});
