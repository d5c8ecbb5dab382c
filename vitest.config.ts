import { defineConfig } from 'vitest/config';

// Processes are real and the machine may be small: one test file at a time, generous limits, no retries.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // packages that tests use load ONNX Runtime too, and it must not report to its maker
    env: { ORT_DISABLE_TELEMETRY: '1' },
    globalSetup: ['test/global-setup.ts'],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Vitest would wait one second, which another process or a browser may need on a busy machine.
    expect: { poll: { timeout: 20_000 } },
    reporters: ['default'],
  },
});
