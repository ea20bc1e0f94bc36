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
  readonly #paths: readonly [string, string];
  readonly #files: readonly [number, number];
  #current: 0 | 1 = 0;
  #position = 0;

  /** Opens the files, or creates them. */
  constructor(dir: string) {
    this.#paths = [join(dir, 'log-0'), join(dir, 'log-1')];
    this.#files = [openAllocated(this.#paths[0]), openAllocated(this.#paths[1])];
    flushNames(dir);
  }

  /** Every record after this sequence, in the order of writing. */
  recordsAfter(sequence: number): LogRecord[] {
    const records = this.#paths.flatMap((path) => parseRecords(readFileSync(path)));
    return records.filter((record) => record.sequence > sequence).sort((a, b) => a.sequence - b.sequence);
  }

  /** The records of the file that is being written. */
  currentRecords(): LogRecord[] {
    return parseRecords(readFileSync(this.#paths[this.#current]).subarray(0, this.#position));
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
function flushNames(dir: string): void {
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
function parseRecords(file: Buffer): LogRecord[] {
  const records: LogRecord[] = [];
  let last = 0;
  for (let position = 0; position + RECORD_HEAD <= file.length; ) {
    const length = file.readUInt32LE(position);
    if (length < RECORD_HEAD || position + length > file.length) break;
    const record = file.subarray(position, position + length);
    const sequence = record.readUInt32LE(8) + record.readUInt32LE(12) * 2 ** 32;
    if (sequence <= last || crc32(record.subarray(8)) !== record.readUInt32LE(4)) break;
    records.push({ sequence, changes: parseChanges(record) });
    last = sequence;
    position += length;
  }
  return records;
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
