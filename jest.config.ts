/** @jest-config-loader esbuild-register */
import type { Config } from 'jest';

const config: Config = {
  roots: ['<rootDir>/tests'],
  testMatch: ['**/*.test.ts'],
  // About the embedded store itself: with another server there is nothing of it to test.
  testPathIgnorePatterns: process.env.TEST_MONGODB_URI ? ['\\.embedded\\.test\\.ts$'] : [],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
        module: { type: 'es6' },
      },
    ],
  },
  globalSetup: '<rootDir>/tests/helpers/global-setup.ts',
  globalTeardown: '<rootDir>/tests/helpers/global-teardown.ts',
  testTimeout: 20_000,
  maxWorkers: 2,
  // Node holds on to the modules of a test file when it is done: references between them are never given up (before
  // Node 24), and V8 caches what it has compiled. After eighty files a worker has gigabytes, and takes longer to end than
  // Jest waits. So one that has grown is replaced by a new one between two files.
  workerIdleMemoryLimit: '256MB',
};

export default config;
