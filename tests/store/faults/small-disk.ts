// A disk that can be filled and freed under a running store.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SmallDisk {
  dir: string;
  fill(pid: number): void;
  free(pid: number): void;
  remove(): void;
}

const PIECE = 64 * 1024;

/** A file system in memory; only root may mount one. @throws Error when it cannot be mounted. */
export function mountedDisk(megabytes: number): SmallDisk {
  const mount = mkdtempSync(join(tmpdir(), 'feira-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', mount], { stdio: 'pipe' });
  const ballast = join(mount, 'ballast');
  return {
    dir: join(mount, 'store'),
    fill() {
      for (let { bavail, bsize } = statfsSync(mount); bavail > 0; { bavail, bsize } = statfsSync(mount)) {
        const bytes = Math.min(bavail * bsize, 16 * PIECE);
        try {
          writeFileSync(ballast, Buffer.alloc(bytes), { flag: 'a' });
        } catch (error) {
          // The store was faster.
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        }
      }
    },
    free: () => rmSync(ballast, { force: true }),
    remove() {
      execFileSync('umount', [mount]);
      rmSync(mount, { recursive: true });
    },
  };
}

/** A limit on the size of the files of the process: anybody may set it, and no file of the store can grow beyond it. */
export function limitedFiles(): SmallDisk {
  const dir = mkdtempSync(join(tmpdir(), 'feira-disk-'));
  const limit = (pid: number, bytes: number | string): void =>
    void execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`], { stdio: 'pipe' });
  return {
    dir,
    fill: (pid) => limit(pid, statSync(join(dir, 'data.mdb')).size),
    free: (pid) => limit(pid, 'unlimited'),
    remove: () => rmSync(dir, { recursive: true }),
  };
}
