/** The real process, built, as a person starts it: `node dist/index.js` with directories of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import request from 'supertest';

const LIMIT_MS = 15_000;

export interface FeiraProcess {
  url: string;
  api: ReturnType<typeof request>;
  process: ChildProcess;
  /** All that was printed so far, on both outputs. */
  output(): string;
  /** Sends the signal and waits for the end. @returns the exit code, null when the signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/**
 * Resolves when /readyz answers.
 * @param env PORT too, for one that comes back where it was; otherwise a free one is taken
 * @throws with the output when the process ends before
 */
export async function startProcess(env: Record<string, string>): Promise<FeiraProcess> {
  const port = env.PORT ?? String(await freePort());
  const { process: child, output, exited } = spawnFeira({ ...env, PORT: port });
  const url = `http://127.0.0.1:${port}`;
  const deadline = Date.now() + LIMIT_MS;
  while (!(await isReady(url))) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`Feira did not start:\n${output()}`);
  }
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    return exited;
  };
  return { url, api: request(url), process: child, output, end };
}

/** Starts it and does not wait: for starts that are to fail. `exited` resolves to the exit code. */
export function spawnFeira(env: Record<string, string>) {
  const child = spawn(process.execPath, ['dist/index.js'], {
    env: { PATH: process.env.PATH, HOST: '127.0.0.1', DEMO_DATA: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (printed += chunk));
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  return { process: child, output: () => printed, exited };
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`)).ok;
  } catch {
    // Not listening yet: the next try comes with the next turn of the loop.
    await new Promise((resolve) => setTimeout(resolve, 20));
    return false;
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}
