import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type FeiraProcess, startProcess } from '../helpers/start-process.ts';

const KEY = 'key-of-the-readme-test';
let dir: string;
let feira: FeiraProcess;
let readme: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'feira-readme-'));
  await cp('public/img/demo/cer-002.webp', join(dir, 'public/img/demo/cer-002.webp'));
  readme = await readFile('README.md', 'utf8');
  const dirs = { DATA_DIR: join(dir, 'data'), UPLOADS_DIR: join(dir, 'uploads') };
  const admin = { ADMIN_EMAIL: 'admin@example.com', ADMIN_PASSWORD: 'choose-a-long-password' };
  feira = await startProcess({ ...dirs, ...admin, FEIRA_API_KEY: KEY, DEMO_DATA: '1' });
});
afterAll(async () => {
  await feira.end('SIGTERM');
  await rm(dir, { recursive: true, force: true });
});

describe('the README', () => {
  it('has shell lines that work as pasted, in their order', async () => {
    const blocks = [...readme.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, lines]) => lines);
    expect(blocks.length).toBeGreaterThan(5);
    const script = ['set -euo pipefail', ...blocks].join('\n');
    const env = { PATH: process.env.PATH, SHOP: feira.url, KEY };
    await promisify(execFile)('bash', ['-c', script], { cwd: dir, env });
  });

  it('names every variable of .env.example that the configuration reads, and no other', async () => {
    const example = await readFile('.env.example', 'utf8');
    const source = await readFile('src/config.ts', 'utf8');
    const documented = [...example.matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name);
    const read = [...source.matchAll(/^ {2}([A-Z][A-Z_]+): /gm)].map(([, name]) => name);
    expect(documented.sort()).toEqual(read.sort());
  });
});
