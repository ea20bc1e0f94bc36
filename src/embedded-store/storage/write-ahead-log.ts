// Two files of fixed size that are written in turns. A batch of changes becomes one record; it is durable when the file
// has been flushed. The space is allocated before, so that a flush changes nothing but data: one disk write, not two.
// Record: length, CRC-32 (both over what follows), sequence as two 32-bit numbers, then for each change the length of
// its key, the length of its value (-1 for a removal), key and value. All numbers are little-endian.
import { closeSync, existsSync, fdatasync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { Layer } from './layer.ts';

const FILE_BYTES = 8 * 1024 * 1024;
const RECORD_HEAD = 16;
const CHANGE_HEAD = 8;

export interface LogRecord {
  /** Number of the last write in it. */
  sequence: number;
  changes: Layer;
}

export class WriteAheadLog {
  readonly #dir: string;
  readonly #files: readonly [number, number];
  #current: 0 | 1 = 0;
  #position = 0;

  /** Opens the files, or creates them. */
  constructor(dir: string) {
    const [first, second] = filesOf(dir);
    this.#dir = dir;
    this.#files = [openAllocated(first), openAllocated(second)];
    flushNames(dir);
  }

  /** The records of the file that is being written. */
  currentRecords(): LogRecord[] {
    return parseRecords(readFileSync(filesOf(this.#dir)[this.#current]).subarray(0, this.#position)).records;
  }

  get bytes(): number {
    return this.#position;
  }

  fits(record: Buffer): boolean {
    return this.#position === 0 || this.#position + record.length <= FILE_BYTES;
  }

  /** Goes on at the beginning of the other file, whose records are not needed any more. */
  turn(): void {
    this.#current = this.#current === 0 ? 1 : 0;
    this.#position = 0;
  }

  /** Resolves when the record is on disk. Until it is kept, the next one overwrites it. */
  async append(record: Buffer): Promise<void> {
    const file = this.#files[this.#current];
    for (let done = 0; done < record.length; ) {
      done += writeSync(file, record, done, record.length - done, this.#position + done);
    }
    await new Promise<void>((resolve, reject) => {
      fdatasync(file, (error) => (error ? reject(error) : resolve()));
    });
  }

  keep(record: Buffer): void {
    this.#position += record.length;
  }

  close(): void {
    for (const file of this.#files) closeSync(file);
  }
}

function filesOf(dir: string): [string, string] {
  return [join(dir, 'log-0'), join(dir, 'log-1')];
}

/** Every record after this sequence, in the order of writing; the directory may be in use. */
export function readLog(dir: string, sequence: number): LogRecord[] {
  const records = filesOf(dir).flatMap((path) => (existsSync(path) ? parseRecords(readFileSync(path)).records : []));
  return records.filter((record) => record.sequence > sequence).sort((a, b) => a.sequence - b.sequence);
}

/**
 * The files in which one record after this sequence cannot be read and a later one can: a write that a crash cut off
 * has nothing after it.
 */
export function damagedLogs(dir: string, sequence: number): string[] {
  return filesOf(dir).filter((path) => {
    if (!existsSync(path)) return false;
    const file = readFileSync(path);
    const { records, end } = parseRecords(file);
    const last = Math.max(sequence, records.at(-1)?.sequence ?? 0);
    // No two numbers in the log are further apart: a write takes more than a byte.
    const highest = last + 2 * FILE_BYTES;
    for (let position = end + 1; position + RECORD_HEAD <= file.length; position++) {
      const next = sequenceAt(file, position);
      if (next > last && next <= highest && recordAt(file, position, last)) return true;
    }
    return false;
  });
}

/** Zeros are written, not only reserved: flushing into reserved space would have to update the file's metadata. */
function openAllocated(path: string): number {
  const isNew = !existsSync(path);
  const file = openSync(path, isNew ? 'wx+' : 'r+');
  if (isNew) {
    const zeros = Buffer.alloc(1024 * 1024);
    for (let position = 0; position < FILE_BYTES; position += zeros.length)
      writeSync(file, zeros, 0, zeros.length, position);
    fsyncSync(file);
  }
  return file;
}

/** A new file is found again after a loss of power only when its directory has been flushed too. */
export function flushNames(dir: string): void {
  if (process.platform === 'win32') return; // Directories cannot be opened there.
  const handle = openSync(dir, 'r');
  fsyncSync(handle);
  closeSync(handle);
}

export function encodeRecord(sequence: number, batch: readonly Layer[]): Buffer {
  let length = RECORD_HEAD;
  for (const { entries } of batch) {
    for (const [key, value] of entries) length += CHANGE_HEAD + key.length + (value?.length ?? 0);
  }
  const record = Buffer.allocUnsafe(length);
  record.writeUInt32LE(sequence % 2 ** 32, 8);
  record.writeUInt32LE(Math.floor(sequence / 2 ** 32), 12);
  let position = RECORD_HEAD;
  for (const { entries } of batch) {
    for (const [key, value] of entries) {
      record.writeInt32LE(key.length, position);
      record.writeInt32LE(value?.length ?? -1, position + 4);
      position += CHANGE_HEAD + record.write(key, position + CHANGE_HEAD, 'latin1');
      if (value) position += value.copy(record, position);
    }
  }
  record.writeUInt32LE(length, 0);
  record.writeUInt32LE(crc32(record.subarray(8)), 4);
  return record;
}

/** Stops at the first record that is torn, or left over from an earlier turn. */
function parseRecords(file: Buffer): { records: LogRecord[]; end: number } {
  const records: LogRecord[] = [];
  let end = 0;
  for (;;) {
    const record = recordAt(file, end, records.at(-1)?.sequence ?? 0);
    if (!record) return { records, end };
    records.push({ sequence: record.sequence, changes: parseChanges(record.bytes) });
    end += record.bytes.length;
  }
}

/** A whole record of a higher sequence than `last`. */
function recordAt(file: Buffer, position: number, last: number): { sequence: number; bytes: Buffer } | undefined {
  if (position + RECORD_HEAD > file.length) return undefined;
  const length = file.readUInt32LE(position);
  if (length < RECORD_HEAD || position + length > file.length) return undefined;
  const bytes = file.subarray(position, position + length);
  const sequence = sequenceAt(file, position);
  return sequence > last && crc32(bytes.subarray(8)) === bytes.readUInt32LE(4) ? { sequence, bytes } : undefined;
}

function sequenceAt(file: Buffer, position: number): number {
  return file.readUInt32LE(position + 8) + file.readUInt32LE(position + 12) * 2 ** 32;
}

function parseChanges(record: Buffer): Layer {
  const changes = new Layer();
  for (let position = RECORD_HEAD; position < record.length; ) {
    const keyLength = record.readInt32LE(position);
    const valueLength = record.readInt32LE(position + 4);
    const valueStart = position + CHANGE_HEAD + keyLength;
    const key = record.toString('latin1', position + CHANGE_HEAD, valueStart);
    position = valueStart + Math.max(0, valueLength);
    changes.set(key, valueLength < 0 ? null : Buffer.from(record.subarray(valueStart, position)));
  }
  return changes;
}
