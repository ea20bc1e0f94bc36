/**
 * Receives pictures as multipart/form-data into a folder of their own in the quarantine, which nobody can read from
 * outside. The folder lives as long as the request: whatever happens to it, nothing stays.
 */
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import type { Request, RequestHandler, Response } from 'express';
import multer, { MulterError } from 'multer';
import { isUser } from '../actor.ts';
import { AppError, invalidInput } from '../errors.ts';

const MEGABYTE = 1024 * 1024;
const FIELD = 'file';
const QUARANTINE = '.incoming';
const MAX_FILES = 10;
const LIMITS = {
  fileSize: 10 * MEGABYTE,
  // No text field is wanted; a few are read so that the refusal can name them.
  fields: 5,
  parts: 15,
  fieldNameSize: 100,
  fieldSize: 1000,
  headerPairs: 20,
  fieldNestingDepth: 0,
  fieldArrayIndexLimit: 0,
};
/** Of one who is no staff: decoding is slow, and everybody waits for the same decoders. */
const MAX_AT_ONCE = 5;
const RETRY_AFTER_S = 1;
/** Longer than any request takes: what is older was left by a process that was killed. */
const STALE_MS = 15 * 60 * 1000;

/**
 * Hands the paths of the files in the field `file` to `use`, and removes them when it is done.
 * @param maxFiles more are refused.
 * @throws AppError UNSUPPORTED_MEDIA_TYPE, TOO_LARGE, MALFORMED_REQUEST, INVALID_INPUT, TOO_MANY_REQUESTS, UNAVAILABLE
 * when the disk is full, and what `use` throws.
 */
export function withUploadedImages<T>(
  req: Request,
  res: Response,
  uploadsDir: string,
  use: (paths: string[]) => Promise<T>,
  maxFiles = MAX_FILES,
): Promise<T> {
  return whileReceived(req, res, uploadsDir, maxFiles, () => use(uploadedPaths(req)));
}

/**
 * For the form of a page with pictures: its fields are in `req.body` before the token among them is checked, and
 * the files are there, for `uploadedPaths`, until the answer has left. Visitors' forms are not read.
 * @throws AppError as `withUploadedImages` does
 */
export function receivePictureForm(uploadsDir: string, maxFiles = 1): RequestHandler {
  return (req, res, next) => {
    if (!isUser(req.actor)) return next();
    const untilAnswered = async () => {
      next();
      await finished(res).catch(() => {});
    };
    return whileReceived(req, res, uploadsDir, maxFiles, untilAnswered);
  };
}

/** The received files. @throws AppError INVALID_INPUT when there is none, or a field besides them */
export function uploadedPaths(req: Request): string[] {
  const unknown = Object.keys(req.body ?? {});
  if (unknown.length > 0) throw unknownFields(unknown);
  const files = Array.isArray(req.files) ? req.files : [];
  if (files.length === 0) throw invalidInput([{ pointer: `#/${FIELD}`, detail: 'must hold at least one picture' }]);
  return files.map((file) => file.path);
}

async function whileReceived<T>(
  req: Request,
  res: Response,
  uploadsDir: string,
  maxFiles: number,
  use: () => Promise<T>,
): Promise<T> {
  if (!req.is('multipart/form-data') || req.headers['content-encoding'])
    throw new AppError('UNSUPPORTED_MEDIA_TYPE', `Send the pictures as multipart/form-data in the field "${FIELD}".`);
  if (Number(req.headers['content-length']) > maxFiles * LIMITS.fileSize + MEGABYTE) throw tooLarge(maxFiles);
  const done = countIn(req);
  let folder: string | undefined;
  try {
    folder = await newFolder(uploadsDir);
    await receive(req, res, folder, maxFiles);
    return await use();
  } catch (error) {
    throw isDiskFull(error) ? new AppError('UNAVAILABLE', 'There is no space for pictures at the moment.') : error;
  } finally {
    if (folder) await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    done();
  }
}

/** A folder of its own for what one request brings. */
async function newFolder(uploadsDir: string): Promise<string> {
  await removeStaleUploads(uploadsDir);
  const quarantine = join(uploadsDir, QUARANTINE);
  await mkdir(quarantine, { recursive: true });
  return mkdtemp(join(quarantine, 'upload-'));
}

/** How many requests with pictures of each account are being answered. */
const running = new Map<string, number>();

/** @returns counts it out. @throws AppError TOO_MANY_REQUESTS */
function countIn({ actor: { id, permissions } }: Request): () => void {
  if (id === null || permissions.includes('products:write')) return () => {};
  const before = running.get(id) ?? 0;
  if (before >= MAX_AT_ONCE)
    throw new AppError('TOO_MANY_REQUESTS', `At most ${MAX_AT_ONCE} pictures of yours are taken at a time.`, {
      retryAfter: RETRY_AFTER_S,
    });
  running.set(id, before + 1);
  return () => {
    const left = (running.get(id) ?? 1) - 1;
    if (left > 0) running.set(id, left);
    else running.delete(id);
  };
}

/** Removes what requests of a process that was killed have left behind. */
export async function removeStaleUploads(uploadsDir: string): Promise<void> {
  const quarantine = join(uploadsDir, QUARANTINE);
  const names = await readdir(quarantine).catch(() => []);
  for (const name of names) {
    const path = join(quarantine, name);
    const found = await stat(path).catch(() => null);
    if (found && Date.now() - found.mtimeMs > STALE_MS) await rm(path, { recursive: true, force: true });
  }
}

function receive(req: Request, res: Response, folder: string, maxFiles: number): Promise<void> {
  const read = multer({ dest: folder, limits: { ...LIMITS, files: maxFiles } }).array(FIELD);
  return new Promise((resolve, reject) => {
    // A request that broke off while the folder was made tells nobody any more: multer would wait for its end for ever.
    if (req.destroyed) return reject(malformed());
    read(req, res, (error: unknown) => (error ? reject(toRefusal(error, maxFiles)) : resolve()));
  });
}

const unknownFields = (names: readonly string[]) =>
  invalidInput(names.map((name) => ({ pointer: `#/${name}`, detail: 'is not a known field' })));

const tooLarge = (maxFiles: number) =>
  new AppError(
    'TOO_LARGE',
    `A picture has at most ${LIMITS.fileSize / MEGABYTE} MB, a request at most ${maxFiles} of them.`,
  );

function toRefusal(error: unknown, maxFiles: number): unknown {
  if (!(error instanceof MulterError)) return isDiskFault(error) ? error : malformed();
  switch (error.code) {
    case 'LIMIT_FILE_SIZE':
    case 'LIMIT_FILE_COUNT':
    case 'LIMIT_PART_COUNT':
    case 'LIMIT_FIELD_COUNT':
    case 'LIMIT_FIELD_VALUE':
      return tooLarge(maxFiles);
    case 'LIMIT_UNEXPECTED_FILE':
      return unknownFields([error.field ?? '']);
    default:
      return malformed();
  }
}

const malformed = () => new AppError('MALFORMED_REQUEST', 'The form is malformed or was cut off.');

/** The quarantine could not be written, as opposed to the body not being read. */
const isDiskFault = (error: unknown) => error instanceof Error && 'syscall' in error && error.syscall !== 'read';

/** As Node says it, and as libvips does. */
const isDiskFull = (error: unknown) => error instanceof Error && /ENOSPC|no space left/i.test(error.message);
