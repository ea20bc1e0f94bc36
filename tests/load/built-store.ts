/** The embedded store in a process of its own, as built, and the memory that it takes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';

/** Megabytes. `file` is mostly the page cache of the data file, which LMDB maps and the kernel takes back at need. */
export interface Memory {
  total: number;
  anonymous: number;
  file: number;
}

export interface BuiltStore {
  uri: string;
  memory(): Promise<Memory>;
  end(signal: NodeJS.Signals): Promise<void>;
}

export async function startBuiltStore(dir: string): Promise<BuiltStore> {
  const child = spawn(process.execPath, ['dist/embedded-store/main.js', dir], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return {
    uri: String(line).replace('MONGODB_URI=', ''),
    async memory() {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
      const megabytes = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
      return { total: megabytes('VmRSS'), anonymous: megabytes('RssAnon'), file: megabytes('RssFile') };
    },
    async end(signal) {
      const exited = once(child, 'exit');
      child.kill(signal);
      await exited;
    },
  };
}
