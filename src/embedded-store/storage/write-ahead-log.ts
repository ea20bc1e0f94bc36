// Two files of fixed size that are written in turns. A batch of changes becomes one record; it is durable when the file
// has been flushed. The space is allocated before, so that a flush changes nothing but data: one disk write, not two.
// Record: length, CRC-32 (both over what follows), its sequence and that of the record before it, each of 64 bits, then for
// each change the length of its key, the length of its value (-1 for a removal), key and value. All numbers are
// little-endian, of 32 bits. A record that failed and is still there is one that a later record does not follow.
import { closeSync, existsSync, fdatasync, fstatSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { Layer } from './layer.ts';

export const LOG_FILES = ['log-0', 'log-1'] as const;
const FILE_BYTES = 8 * 1024 * 1024;
/** No two numbers in the log are further apart: a write takes more than a byte. */
const MOST_APART = 2 * FILE_BYTES;
const ZEROS = Buffer.alloc(64 * 1024);
const RECORD_HEAD = 24;
const CHANGE_HEAD = 8;

interface LogRecord {
  /** Number of the last write in it. */
  sequence: number;
  changes: Layer;
}

/** A record that has not been taken apart. */
interface RawRecord {
  sequence: number;
  /** Sequence of the record that it follows. */
  previous: number;
  bytes: Buffer;
}

interface LogFile {
  bytes: Buffer;
  /** Those before the first that is torn, or left over from an earlier turn. */
  records: RawRecord[];
  /** Where they end. */
  end: number;
}

/** Where the next record goes. */
interface End {
  file: 0 | 1;
  position: number;
}

/** Something that was acknowledged is in the log and cannot be read. */
export class DamagedLogError extends Error {
  override name = 'DamagedLogError';

  constructor(dir: string) {
    super(
      `the log in ${dir} is damaged: a record cannot be read, and there are later ones, so it is no write that a crash ` +
        'cut off. Restore a backup, or remove log-0 and log-1 to go on without the last writes, at most 16 MB of them',
    );
  }
}

export class WriteAheadLog {
  readonly #dir: string;
  readonly #files: readonly [number, number];
  #end: End = { file: 0, position: 0 };

  /** Opens the files, or creates them. */
  constructor(dir: string) {
    this.#dir = dir;
    this.#files = [openAllocated(join(dir, LOG_FILES[0])), openAllocated(join(dir, LOG_FILES[1]))];
    flushNames(dir);
  }

  /**
   * Every record after this sequence, in the order of writing. The next one goes behind the last of all.
   * @throws DamagedLogError rather than writing over records that could be saved.
   */
  recover(sequence: number): LogRecord[] {
    const logs = readFiles(this.#dir);
    if (isDamaged(logs, sequence)) throw new DamagedLogError(this.#dir);
    const [first = 0, second = 0] = newestOf(logs);
    const file = second > first ? 1 : 0;
    this.#end = { file, position: logs[file]?.end ?? 0 };
    return following(logs, sequence).map(toLogRecord);
  }

  /** Bytes of the file that is being written. */
  get bytes(): number {
    return this.#end.position;
  }

  fits(record: Buffer): boolean {
    return this.#end.position === 0 || this.#end.position + record.length <= FILE_BYTES;
  }

  /** Goes on at the beginning of the other file, whose records are not needed any more. */
  turn(): void {
    this.#end = this.#turned();
  }

  /**
   * Resolves when the record is on disk, behind the last one or at the beginning of the other file. Until its end is
   * kept, the next one overwrites it.
   */
  async append(record: Buffer, turns: boolean): Promise<End> {
    const { file, position } = turns ? this.#turned() : this.#end;
    const handle = this.#files[file];
    for (let done = 0; done < record.length; ) {
      done += writeSync(handle, record, done, record.length - done, position + done);
    }
    await new Promise<void>((resolve, reject) => {
      fdatasync(handle, (error) => (error ? reject(error) : resolve()));
    });
    return { file, position: position + record.length };
  }

  keep(end: End): void {
    this.#end = end;
  }

  #turned(): End {
    return { file: this.#end.file === 0 ? 1 : 0, position: 0 };
  }

  close(): void {
    for (const file of this.#files) closeSync(file);
  }
}

/**
 * Every record after this sequence, in the order of writing, and whether something that was acknowledged is there and cannot
 * be read; the directory may be in use.
 */
export function readLog(dir: string, sequence: number): { records: LogRecord[]; isDamaged: boolean } {
  const files = readFiles(dir);
  return { records: following(files, sequence).map(toLogRecord), isDamaged: isDamaged(files, sequence) };
}

function newestOf(files: readonly LogFile[]): number[] {
  return files.map(({ records }) => records.at(-1)?.sequence ?? 0);
}

/** The highest number of a record that can be read. */
export function lastSequence(dir: string): number {
  return Math.max(0, ...newestOf(readFiles(dir)));
}

/** Above the number of every record of the log, also of those that cannot be read. */
export function sequenceAfterLog(dir: string): number {
  return lastSequence(dir) + MOST_APART;
}

function readFiles(dir: string): LogFile[] {
  return LOG_FILES.map((name) => join(dir, name))
    .filter(existsSync)
    .map((path) => parseRecords(readFileSync(path)));
}

/** Without those that no later one follows: they had failed, and what came after them does not know of them. */
function following(files: readonly LogFile[], sequence: number): RawRecord[] {
  const records = files.flatMap((file) => file.records).sort((a, b) => b.sequence - a.sequence);
  const followed: RawRecord[] = [];
  for (const record of records)
    if (record.sequence > sequence && record.sequence <= (followed.at(-1)?.previous ?? Number.POSITIVE_INFINITY))
      followed.push(record);
  return followed.reverse();
}

/**
 * Whether a record after this sequence cannot be read and a later one can: a write that a crash cut off has nothing
 * after it.
 */
function isDamaged(files: readonly LogFile[], sequence: number): boolean {
  const records = following(files, sequence);
  const isPiecemeal = records.some(({ previous }, i) => previous > (records[i - 1]?.sequence ?? sequence));
  return isPiecemeal || files.some((file) => hasHiddenRecord(file, sequence));
}

/** Whether there is a record after the first that cannot be read. */
function hasHiddenRecord({ bytes: file, records, end }: LogFile, sequence: number): boolean {
  const last = Math.max(sequence, records.at(-1)?.sequence ?? 0);
  const highest = last + MOST_APART;
  const [from, to] = [last, highest].map((number) => Math.floor(number / 2 ** 32));
  // Opening waits for this look at every position, and a view reads faster than a buffer.
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const stop = Math.min(startOfZeros(file, end), file.length - RECORD_HEAD + 1);
  for (let position = end + 1; position < stop; position++) {
    const high = view.getUint32(position + 12, true);
    if (high !== from && high !== to) continue;
    const next = view.getUint32(position + 8, true) + high * 2 ** 32;
    if (next <= last || next > highest || !isDivided(view, position)) continue;
    if (recordAt(file, position, last)) return true;
  }
  return false;
}

/** Most of a file was never written to. No record begins among its last zeros, since none is 0 long; one may end there. */
function startOfZeros(file: Buffer, from: number): number {
  let start = file.length;
  while (start - ZEROS.length >= from && ZEROS.equals(file.subarray(start - ZEROS.length, start)))
    start -= ZEROS.length;
  return start;
}

/** Whether what would be a record falls into changes without a rest: much cheaper to see than its checksum. */
function isDivided(file: DataView, start: number): boolean {
  const end = start + file.getUint32(start, true);
  let position = start + RECORD_HEAD;
  while (end <= file.byteLength && position + CHANGE_HEAD <= end) {
    const [key, value] = [file.getInt32(position, true), file.getInt32(position + 4, true)];
    if (key < 0 || value < -1) return false;
    position += CHANGE_HEAD + key + Math.max(0, value);
  }
  return position === end;
}

/** Zeros are written, not only reserved: flushing into reserved space would have to update the file's metadata. */
function openAllocated(path: string): number {
  const file = openSync(path, existsSync(path) ? 'r+' : 'wx+');
  if (fstatSync(file).size < FILE_BYTES) {
    for (let position = 0; position < FILE_BYTES; position += ZEROS.length)
      writeSync(file, ZEROS, 0, ZEROS.length, position);
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

export function encodeRecord(sequence: number, previous: number, batch: readonly Layer[]): Buffer {
  let length = RECORD_HEAD;
  for (const { entries } of batch) {
    for (const [key, value] of entries) length += CHANGE_HEAD + key.length + (value?.length ?? 0);
  }
  const record = Buffer.allocUnsafe(length);
  record.writeBigUInt64LE(BigInt(sequence), 8);
  record.writeBigUInt64LE(BigInt(previous), 16);
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

function parseRecords(bytes: Buffer): LogFile {
  const records: RawRecord[] = [];
  let end = 0;
  for (;;) {
    const record = recordAt(bytes, end, records.at(-1)?.sequence ?? 0);
    if (!record) return { bytes, records, end };
    records.push(record);
    end += record.bytes.length;
  }
}

/** A whole record of a higher sequence than `last`. */
function recordAt(file: Buffer, position: number, last: number): RawRecord | undefined {
  if (position + RECORD_HEAD > file.length) return undefined;
  const length = file.readUInt32LE(position);
  if (length < RECORD_HEAD || position + length > file.length) return undefined;
  const bytes = file.subarray(position, position + length);
  const sequence = Number(bytes.readBigUInt64LE(8));
  if (sequence <= last || crc32(bytes.subarray(8)) !== bytes.readUInt32LE(4)) return undefined;
  return { sequence, previous: Number(bytes.readBigUInt64LE(16)), bytes };
}

function toLogRecord({ sequence, bytes }: RawRecord): LogRecord {
  return { sequence, changes: parseChanges(bytes) };
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
