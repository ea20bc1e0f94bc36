/** Pictures of every kind, whole and hostile. */
import { deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';

export const KINDS = ['jpeg', 'png', 'webp', 'avif', 'gif'] as const;
export type Kind = (typeof KINDS)[number];

/** The left half is red, the right half blue. */
export function halves(width = 300, height = 200): Sharp {
  const red = { create: { width: Math.floor(width / 2), height, channels: 3, background: 'red' } } as const;
  return sharp({ create: { width, height, channels: 3, background: 'blue' } }).composite([
    { input: red, left: 0, top: 0 },
  ]);
}

export const picture = (kind: Kind = 'png', width = 300, height = 200): Promise<Buffer> =>
  halves(width, height).toFormat(kind).toBuffer();

/** Two frames, red then blue. */
export async function animation(kind: 'gif' | 'webp', width = 60, height = 40): Promise<Buffer> {
  const frames = await Promise.all(
    ['red', 'blue'].map((background) =>
      sharp({ create: { width, height, channels: 3, background } })
        .png()
        .toBuffer(),
    ),
  );
  return sharp(frames, { join: { animated: true } })
    .toFormat(kind, { delay: [120, 240], loop: 0 })
    .toBuffer();
}

/** A small PNG that says it is huge, with `bytes` zeros as its pixels. */
export function pngBomb(width: number, height: number, bytes: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(Buffer.alloc(bytes), { level: 9 })),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

function pngChunk(type: string, data: Buffer): Buffer {
  const chunk = Buffer.concat([Buffer.alloc(4), Buffer.from(type), data, Buffer.alloc(4)]);
  chunk.writeUInt32BE(data.length, 0);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, -4)), chunk.length - 4);
  return chunk;
}

function crc32(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** A GIF written by hand: `frames` frames of one pixel on a canvas of that size, and bytes after its end. */
export function rawGif(frames: number, width = 1, height = 1, after = ''): Buffer {
  const size = [width & 255, width >> 8, height & 255, height >> 8];
  const header = [...Buffer.from('GIF89a'), ...size, 0x80, 0, 0, 0, 0, 0, 255, 255, 255];
  const frame = [0x21, 0xf9, 4, 0, 1, 0, 0, 0, 0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0];
  return Buffer.concat([
    Buffer.from(header),
    ...Array.from({ length: frames }, () => Buffer.from(frame)),
    Buffer.from(`;${after}`),
  ]);
}
