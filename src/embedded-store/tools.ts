// For people who look after a store: `tools.ts <dir> check | backup <file> | restore <file> | compact`.
// Exit code 1: something is wrong with the data. 2: the command cannot be done as it was given.
import { existsSync, readdirSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { checkStore } from './engine/check.ts';
import { seal, unseal } from './storage/backup-file.ts';
import { DirectoryInUseError, lockDirectory, whileStill } from './storage/directory-lock.ts';
import { DirectoryReader } from './storage/directory-reader.ts';
import { markFormat, OtherFormatError } from './storage/format.ts';
import { DATA_FILE } from './storage/lmdb.ts';
import { Storage } from './storage/storage.ts';
import { emptyDirectory, ensureFormat, replaceStore, rewriteData } from './storage/upgrade.ts';
import { flushNames } from './storage/write-ahead-log.ts';

const USAGE = `usage: store check [backup]            look for faults in the store, or in a backup
       store backup <file> [--force]   write a backup, also while the store runs; --force replaces the file
       store restore <file> [--force]  make the store from a backup; --force keeps the old one beside it
       store compact                   give free space back to the disk`;
const FAULTS_SHOWN = 20;
const PROGRESS_MS = 100;

/** The command cannot be done as it was given. */
class Refusal extends Error {}

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const counted = (number: number): string => number.toLocaleString('en');
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { force: { type: 'boolean' } } });
  const [path, command, file, ...rest] = positionals;
  const { force = false } = values;
  if (path && rest.length === 0) {
    // Names beside it are made of its name, which may end in a slash, or be a link to another disk.
    const dir = existsSync(path) ? realpathSync(path) : resolve(path);
    if (command === 'check') return file ? unpacked(resolve(file), dir, check) : locked(dir, () => check(dir));
    if (command === 'backup' && file) return backup(dir, resolve(file), force);
    if (command === 'restore' && file) return restore(dir, resolve(file), force);
    if (command === 'compact' && !file) return locked(dir, () => compact(dir));
  }
  throw new Refusal(USAGE);
}

/** Runs the work while nobody else can open the store. */
async function locked<T>(dir: string, work: () => Promise<T>): Promise<T> {
  if (!existsSync(join(dir, DATA_FILE))) throw new Refusal(`there is no store in ${dir}`);
  const lock = await lockDirectory(dir);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

async function check(dir: string): Promise<number> {
  const counts = new Map<string, number>();
  const fault = (kind: string, text: string): void => {
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    if (count <= FAULTS_SHOWN) say(`${kind}: ${text}`);
  };
  const reader = new DirectoryReader(dir);
  const { view, prefixes, isLogDamaged } = reader.contents();
  if (isLogDamaged) fault('log', 'a record cannot be read, and there are later ones');
  const collections = checkStore(view, prefixes, { fault, progress: showProgress() });
  await reader.close();
  if (process.stderr.isTTY) process.stderr.write('\x1b[K');
  for (const { namespace, documents, indexes, bytes } of collections)
    say(`${namespace}: ${counted(documents)} documents, ${indexes} indexes, ${megabytes(bytes)}`);
  for (const [kind, count] of counts) if (count > FAULTS_SHOWN) say(`${kind}: ${count} in all`);
  const faults = [...counts.values()].reduce((sum, count) => sum + count, 0);
  say(faults === 0 ? 'no faults' : `${faults} faults`);
  return faults === 0 ? 0 : 1;
}

function showProgress(): (namespace: string, documents: number) => void {
  let shown = 0;
  return (namespace, documents) => {
    if (!process.stderr.isTTY || Date.now() < shown + PROGRESS_MS) return;
    shown = Date.now();
    process.stderr.write(`\x1b[K${namespace}: ${documents}\r`);
  };
}

async function backup(dir: string, file: string, force: boolean): Promise<number> {
  if (existsSync(file) && !force) throw new Refusal(`${file} exists; --force replaces it`);
  const partial = emptyDirectory(`${file}.partial`);
  try {
    const reader = await openForReading(dir);
    try {
      await reader.settled();
      await reader.copyTo(partial);
    } finally {
      await reader.close();
    }
    const bytes = await seal(join(partial, DATA_FILE));
    renameSync(join(partial, DATA_FILE), file);
    flushNames(dirname(file));
    say(`${file}: ${megabytes(bytes)}`);
    return 0;
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

/** With what the log holds moved into LMDB, or soon to be: a store that runs does that by itself. */
async function openForReading(dir: string): Promise<DirectoryReader> {
  try {
    return await locked(dir, async () => {
      await moveLog(dir);
      return new DirectoryReader(dir);
    });
  } catch (error) {
    if (!(error instanceof DirectoryInUseError)) throw error;
    return whileStill(dir, () => new DirectoryReader(dir));
  }
}

async function restore(dir: string, file: string, force: boolean): Promise<number> {
  const isTaken = existsSync(dir) && readdirSync(dir).length > 0;
  if (isTaken && !force) throw new Refusal(`${dir} is not empty; --force keeps what is there beside it`);
  const lock = isTaken ? await lockDirectory(dir) : undefined;
  try {
    return await unpacked(file, dir, async (fresh) => {
      if ((await check(fresh)) !== 0 && !force) throw new Error(`${file} has faults; --force restores it as it is`);
      const aside = `${dir}.before-${new Date().toISOString().slice(0, 23).replaceAll(/[:.]/g, '-')}`;
      if (isTaken) await replaceStore(dir, fresh, aside);
      else {
        rmSync(dir, { recursive: true, force: true });
        renameSync(fresh, dir);
      }
      flushNames(dirname(dir));
      say(`${dir} is restored${isTaken ? `; what was there is in ${aside}` : ''}`);
      return 0;
    });
  } finally {
    await lock?.release();
  }
}

/** Runs the work on a directory beside the store with what the backup holds; it is removed if it is still there. */
async function unpacked(file: string, dir: string, work: (fresh: string) => Promise<number>): Promise<number> {
  if (!existsSync(file)) throw new Refusal(`there is no file ${file}`);
  const fresh = emptyDirectory(`${dir}.partial`);
  try {
    markFormat(fresh, await unseal(file, join(fresh, DATA_FILE)));
    await ensureFormat(fresh);
    return await work(fresh);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

async function compact(dir: string): Promise<number> {
  const data = join(dir, DATA_FILE);
  const before = statSync(data).size;
  await moveLog(dir);
  await rewriteData(dir);
  say(`${data}: ${megabytes(before)} before, ${megabytes(statSync(data).size)} now`);
  return 0;
}

/** Opening a store moves what its log holds into LMDB. */
async function moveLog(dir: string): Promise<void> {
  const storage = await Storage.open(dir, { flushing: () => {}, lost: () => {}, checkpointFailed: () => {} });
  await storage.close();
}

// When a commit fails, lmdb rejects promises that nobody was given. The failure itself is reported below.
process.on('unhandledRejection', () => {});

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  const { message, code = '' } = error as NodeJS.ErrnoException;
  const isUsage = code.startsWith('ERR_PARSE_ARGS');
  const isInUse = error instanceof DirectoryInUseError;
  const isRefused = isUsage || isInUse || error instanceof OtherFormatError || error instanceof Refusal;
  process.stderr.write(`${isUsage ? USAGE : message}${isInUse ? '; stop it first' : ''}\n`);
  process.exitCode = isRefused ? 2 : 1;
}
