/** What the machine has for making trouble; CI has all of it, so that nothing is left out there. */
import { execFileSync } from 'node:child_process';
import { it } from '@jest/globals';

function works(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const isCi = process.env.CI === 'true';
const mayTrace = isCi || (process.getuid?.() === 0 && works('strace', '-V'));
const mayDivide = isCi || works('unshare', '-n', 'true');
const mayLimit = isCi || works('prlimit', '-V');

/** Tests that let calls of the system fail or take long. */
export const itTraces = mayTrace ? it : it.skip;
/** Tests with processes in another network, as in another container. */
export const itDivides = mayDivide ? it : it.skip;
/** Tests that limit the size of files. */
export const itLimits = mayLimit ? it : it.skip;

if (!mayTrace) console.warn('Skipped calls of the system that fail or take long: they need root and strace.');
if (!mayDivide) console.warn('Skipped processes in another network: they need root and unshare.');
if (!mayLimit) console.warn('Skipped full disks: they need prlimit, which Linux has.');
