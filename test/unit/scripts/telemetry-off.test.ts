/** Scripts load packages that load ONNX Runtime, whose reports must be off before. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const firstImport = (source: string): string | undefined => /^import .*$/m.exec(source)?.[0];
const SWITCH = "import './lib/telemetry-off.js';";

describe('every script', () => {
  it('switches the reports of ONNX Runtime off before it imports anything else', () => {
    const scripts = readdirSync('scripts').filter((name) => name.endsWith('.js'));
    expect(scripts.length).toBeGreaterThan(5);
    const late = scripts.filter((name) => firstImport(readFileSync(`scripts/${name}`, 'utf8')) !== SWITCH);
    expect(late).toEqual([]);
  });
});
