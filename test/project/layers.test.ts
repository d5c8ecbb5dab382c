import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findViolations } from '../layers.ts';

describe('the import directions', () => {
  it('hold in every file of src', () => {
    const files = sourceFiles();
    expect(files.length).toBeGreaterThan(20);
    expect(files.flatMap((path) => findViolations(path, readFileSync(path, 'utf8')))).toEqual([]);
  });

  it.each([
    ['src/coordinator/a.ts', "import { x } from '../agent-node/play.ts';"],
    ['src/coordinator/a.ts', "import type { X } from '../analyzer/x.ts';"],
    ['src/cli/a.ts', "await import('../agent-node/main.ts');"],
    ['src/model/a.ts', "startWorkerThread(new URL('../analyzer/worker.ts', import.meta.url));"],
    ['src/model/a.ts', "new Worker(file, { name: 'model' });"],
    ['src/model/runtime/a.ts', "import ort from 'onnxruntime-node';"],
    ['src/onnx/a.ts', "import ort from 'onnxruntime-node';"],
    ['src/protocol/a.ts', "export * from '../process/log.ts';"],
    ['src/synchrony/a.ts', "import { cpus } from 'node:os';"],
    ['src/numeric/ort/a.ts', "import { connect } from 'nats';"],
    ['src/agent-node/a.ts', "import { Counter } from 'prom-client';"],
    ['src/analyzer/a.ts', "import { z } from 'zod';"],
    ['src/analyzer/a.ts', "import x from 'left-pad';"],
    ['src/analyzer/a.ts', 'const t = Date.now();'],
    ['src/model/a.ts', 'const t = performance.now();'],
    ['src/agent-node/a.ts', "const x = process.env['HOME'];"],
    ['src/analyzer/a.ts', "import { readFileSync } from 'node:fs';"],
    ['src/analyzer/a.ts', "import fs from 'node:fs';"],
    ['src/analyzer/a.ts', "import * as fs from 'node:fs';"],
  ])('catch the planted violation in %s: %s', (path, source) => {
    expect(findViolations(path, source)).toHaveLength(1);
  });

  it.each([
    ['src/analyzer/output/metrics.ts', "import { Gauge } from 'prom-client';"],
    ['src/agent-node/a.ts', "import { readFile } from 'node:fs/promises';"],
    ['src/agent-node/a.ts', "import { createReadStream } from 'node:fs';"],
    ['src/analyzer/a.ts', "// as Date.now would, and import x from 'left-pad'"],
    ['src/model/a.ts', "import { x } from '../protocol/frames.ts';"],
  ])('allow in %s: %s', (path, source) => {
    expect(findViolations(path, source)).toEqual([]);
  });
});

function sourceFiles(): string[] {
  return readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.tsx?$/.test(path))
    .map((path) => `src/${path}`);
}
