/**
 * Pictures that a stranger has sent are decoded and written anew: what is stored was made here, pixel by pixel, and
 * carries neither metadata (place, camera, owner) nor anything that was hidden in the file. Only the process for
 * pictures (picture-process.ts) loads this file: sharp is heavy, and its decoders are the ones that a stranger can reach.
 */
import sharp, { type Metadata, type Sharp, type SharpOptions } from 'sharp';
import { AppError } from '../errors.ts';

/** libvips' names of what may read; everything else (SVG, PDF, TIFF, ...) is blocked, so that it cannot be attacked. */
const LOADERS = ['Jpeg', 'Png', 'Webp', 'Heif', 'Nsgif'].map((kind) => `VipsForeignLoad${kind}`);

const MAX_SIDE = 2000;
const THUMBNAIL_SIDE = 480;
const MAX_FRAMES = 200;
/** Of all frames together. */
const MAX_PIXELS = 50_000_000;
/** Of one frame of a kind that is not read row by row: decoding AVIF takes up to 18 bytes for each pixel. */
const MAX_PIXELS_AT_ONCE = 16_000_000;

sharp.concurrency(1);
sharp.cache(false);
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({ operation: LOADERS });

type Kind = 'jpeg' | 'png' | 'webp' | 'avif' | 'gif';

export interface EncodedPicture {
  /** Paths of files that belong to the caller. */
  file: string;
  thumbnail: string;
  extension: 'jpg' | 'png' | 'webp' | 'avif' | 'gif';
  /** Of `file`, in pixels. */
  width: number;
  height: number;
}

/**
 * Writes the picture at `source` anew in its own kind, upright, at most 2000 pixels wide and high, with a WebP
 * thumbnail of at most 480 pixels, both into files next to it. An animation stays one; its thumbnail is the first frame.
 * @throws AppError UNSUPPORTED_MEDIA_TYPE when it is not a JPEG, PNG, WebP, AVIF or GIF, whatever it is called;
 * UNREADABLE_PICTURE when it is damaged or too large.
 */
export async function encodePicture(source: string): Promise<EncodedPicture> {
  try {
    return await encode(source);
  } catch (error) {
    throw toRefusal(error);
  }
}

async function encode(source: string): Promise<EncodedPicture> {
  const options: SharpOptions = { failOn: 'error', limitInputPixels: MAX_PIXELS, sequentialRead: true };
  const metadata = await sharp(source, options).metadata();
  const kind = kindOf(metadata);
  const animated = (kind === 'gif' || kind === 'webp') && (metadata.pages ?? 1) > 1;
  expectReasonable(metadata, kind, animated);

  const picture = sharp(source, { ...options, animated });
  // Frames cannot be turned, and nothing that makes animations marks them as lying on their side.
  if (!animated) picture.autoOrient();
  const [file, thumbnail] = [`${source}.picture`, `${source}.thumbnail`];
  const made = await inKind(picture.resize(boundedBy(MAX_SIDE)), kind, animated).toFile(file);
  await sharp(file, options).resize(boundedBy(THUMBNAIL_SIDE)).webp({ quality: 78 }).toFile(thumbnail);
  const height = made.pageHeight ?? made.height;
  return { file, thumbnail, extension: kind === 'jpeg' ? 'jpg' : kind, width: made.width, height };
}

/** AVIF is HEIF with AV1 inside; HEIC, its older sister, is not among the kinds. */
function kindOf({ format, compression }: Metadata): Kind {
  if (format === 'heif' && compression === 'av1') return 'avif';
  if (format === 'jpeg' || format === 'png' || format === 'webp' || format === 'gif') return format;
  throw unsupported();
}

function expectReasonable({ width, height, pages = 1, isProgressive }: Metadata, kind: Kind, animated: boolean): void {
  const frame = width * height;
  const atOnce = kind === 'avif' || kind === 'gif' || (kind === 'png' && isProgressive);
  if (frame > (atOnce ? MAX_PIXELS_AT_ONCE : MAX_PIXELS)) throw tooManyPixels();
  if (!animated) return;
  if (pages > MAX_FRAMES) throw unreadable(`It has more than ${MAX_FRAMES} frames.`);
  if (frame * pages > MAX_PIXELS) throw tooManyPixels();
}

const boundedBy = (side: number) => ({ width: side, height: side, fit: 'inside', withoutEnlargement: true }) as const;

/** Little effort where compressing is slow: the caller is waiting for the answer. */
function inKind(picture: Sharp, kind: Kind, animated: boolean): Sharp {
  switch (kind) {
    case 'jpeg':
      return picture.jpeg({ quality: 82 });
    case 'png':
      return picture.png();
    case 'webp':
      return picture.webp({ quality: 82, effort: animated ? 2 : 4 });
    case 'avif':
      return picture.avif({ quality: 60, effort: 2 });
    case 'gif':
      return picture.gif({ effort: animated ? 2 : 7 });
  }
}

const unsupported = () => new AppError('UNSUPPORTED_MEDIA_TYPE', 'It is not a JPEG, PNG, WebP, AVIF or GIF picture.');
const unreadable = (detail: string) => new AppError('UNREADABLE_PICTURE', detail);
const tooManyPixels = () => unreadable('It has too many pixels.');

/** libvips has no error codes, only words. */
function toRefusal(error: unknown): unknown {
  if (error instanceof AppError || !(error instanceof Error)) return error;
  if (/no space left|read-only file system|permission denied|no such file/i.test(error.message)) return error;
  if (/unsupported image format/.test(error.message)) return unsupported();
  if (/pixel limit/.test(error.message)) return tooManyPixels();
  return unreadable('It is damaged.');
}
