/** The processes that decode pictures, seen from outside. */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

export interface Decoder {
  pid: number;
  /** Resident memory. */
  bytes: number;
}

/** Those of this process, at work or waiting. */
export async function decoders(): Promise<Decoder[]> {
  const all = process.platform === 'linux' ? await fromProc() : await fromPs();
  return all.filter(({ parent, args }) => parent === process.pid && args.includes('picture-process'));
}

async function fromProc() {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const read = (pid: string, file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
  return Promise.all(
    pids.map(async (pid) => {
      const status = await read(pid, 'status');
      return {
        pid: Number(pid),
        parent: Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]),
        bytes: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1024,
        args: await read(pid, 'cmdline'),
      };
    }),
  );
}

async function fromPs() {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,rss=,args=']);
  return stdout.split('\n').map((line) => {
    const [pid, parent, kilobytes, ...args] = line.trim().split(/\s+/);
    return { pid: Number(pid), parent: Number(parent), bytes: Number(kilobytes) * 1024, args: args.join(' ') };
  });
}
