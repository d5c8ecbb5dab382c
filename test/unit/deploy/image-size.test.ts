/** The image holds ONNX Runtime's libraries for its own platform alone. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

describe('the image', () => {
  it('leaves out the libraries of ONNX Runtime for other platforms', () => {
    const folder = mkdtempSync(join(tmpdir(), 'entrain-image-'));
    const platforms = 'node_modules/onnxruntime-node/bin/napi-v6';
    const shipped = readdirSync(platforms).flatMap((system) =>
      readdirSync(join(platforms, system)).map((machine) => `${system}/${machine}`),
    );
    expect(shipped.length).toBeGreaterThan(2);
    for (const platform of shipped) mkdirSync(join(folder, platforms, platform), { recursive: true });
    const [, step = ''] =
      /^RUN (find node_modules\/onnxruntime-node.*)$/m.exec(readFileSync('deploy/Dockerfile', 'utf8')) ?? [];
    execFileSync('sh', ['-ec', step], { cwd: folder });
    const kept = readdirSync(join(folder, platforms)).flatMap((system) =>
      readdirSync(join(folder, platforms, system)).map((machine) => `${system}/${machine}`),
    );
    expect(kept).toEqual([`linux/${process.arch}`]);
    rmSync(folder, { recursive: true });
  });
});
