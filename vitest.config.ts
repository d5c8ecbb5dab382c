import { defineConfig } from 'vitest/config';

// Processes are real and the machine may be small: one test file at a time, generous limits, no retries.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/global-setup.ts'],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: ['default'],
  },
});
