// The fault scripts in a short form: kills, full disks, failing writes and stopped clients of a process of its own.
import { execFile } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { itLimits, itTraces } from './system-tools.ts';

const LIMIT_MS = 60_000;

/** What a script of `faults/` ends with; it has exit code 0 when there was no fault. */
function run(script: string, ...args: (string | number)[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const command = ['--import', 'tsx', `tests/store/faults/${script}.ts`, ...args.map(String)];
    execFile(process.execPath, command, { timeout: LIMIT_MS }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${stdout}${stderr}`, { cause: error }));
      else resolve(stdout);
    });
  });
}

describe('durability', () => {
  it(
    'loses nothing and applies nothing twice when it is killed',
    async () => expect(await run('kill-rounds', 3)).toMatch(/^3 kills, \d+ acknowledged .* 0 faults\n$/),
    LIMIT_MS,
  );

  itLimits(
    'answers, reads and recovers when the disk is full',
    async () =>
      expect(await run('full-disk-rounds', 2, 'limit')).toMatch(/^2 full disks, \d+ acknowledged .* 0 faults\n$/),
    LIMIT_MS,
  );

  itTraces(
    'survives writes and flushes that fail',
    async () => expect(await run('io-error-rounds', 6)).toMatch(/^6 rounds, \d+ injected errors, .* 0 faults\n$/),
    LIMIT_MS,
  );

  it(
    'keeps its file small while a client is stopped inside a transaction',
    async () => expect(await run('churn-with-reader', 40_000, 10_000)).toMatch(/ 0 faults\n$/),
    LIMIT_MS,
  );
});
