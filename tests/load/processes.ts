/** Child processes of the benchmark: servers on the first core where `taskset` is there, the load on the others. */
import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';

const canPin = spawnSync('taskset', ['--version']).status === 0 && cpus().length > 1;
const children: ChildProcess[] = [];

/** Moves a process, or this one, to some cores; the store's thread of a server counts as the server. */
export function pin(pid: number, cores: string): void {
  if (canPin) spawnSync('taskset', ['--all-tasks', '--cpu-list', '--pid', cores, String(pid)]);
}

export async function startChild(script: string, args: string[] = []): Promise<ChildProcess> {
  const child = fork(new URL(script, import.meta.url), args, { execArgv: ['--import', 'tsx'] });
  await once(child, 'spawn');
  children.push(child);
  return child;
}

export async function nextMessage<T>(child: ChildProcess): Promise<T> {
  const [message] = await once(child, 'message');
  return message as T;
}

export function stopChildren(): void {
  for (const child of children) child.kill('SIGKILL');
}
