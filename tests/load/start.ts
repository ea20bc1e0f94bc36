/** How long `npm start` takes until the home page answers, and the memory of the process when it idles. */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../helpers/start-process.ts';

const IDLE_MS = 3000;

export interface Start {
  seconds: number;
  /** Resident memory of the server's process after some idle seconds; NaN where /proc does not tell. */
  idleMegabytes: number;
}

/** Starts the built shop on a data directory as a person does, measures, and stops it. */
export async function measureStart(dataDir: string, uploadsDir: string): Promise<Start> {
  const port = await freePort();
  const env = { ...process.env, PORT: String(port), DATA_DIR: dataDir, UPLOADS_DIR: uploadsDir, LOG_LEVEL: 'warn' };
  const began = performance.now();
  // In a group of its own, so that npm and the server that it starts end together.
  const child = spawn('npm', ['start'], { env, stdio: 'ignore', detached: true });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  while (!(await answers(`http://127.0.0.1:${port}/`))) await delay(10);
  const seconds = (performance.now() - began) / 1000;
  await delay(IDLE_MS);
  const idleMegabytes = await residentMegabytes(port);
  if (child.pid) process.kill(-child.pid, 'SIGTERM');
  await exited;
  return { seconds, idleMegabytes };
}

const answers = (url: string) =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );

/** The memory of the process that listens on the port: the server tells its own pid nowhere, so /proc is asked. */
async function residentMegabytes(port: number): Promise<number> {
  const pid = await listenerPid(port);
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1024;
}

async function listenerPid(port: number): Promise<string | undefined> {
  const found = spawn('sh', ['-c', `grep -lz "PORT=${port}" /proc/[0-9]*/environ 2>/dev/null`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let text = '';
  for await (const chunk of found.stdout) text += chunk;
  const pids = text.match(/\d+/g) ?? [];
  for (const pid of pids) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command.includes('dist/index.js') && command.startsWith('node')) return pid;
  }
  return undefined;
}
