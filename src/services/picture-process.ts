/**
 * The process in which pictures are decoded, one at a time: a path comes in as a message, an answer goes out. It ends
 * when the shop lets go of it or is gone.
 */
import { AppError } from '../errors.ts';
import type { ProblemCode } from '../problem-codes.ts';
import { type EncodedPicture, encodePicture } from './encode-picture.ts';

export type PictureAnswer =
  | { picture: EncodedPicture }
  | { refusal: { code: ProblemCode; detail: string } }
  | { fault: string };

async function answerTo(source: string): Promise<PictureAnswer> {
  try {
    return { picture: await encodePicture(source) };
  } catch (error) {
    if (error instanceof AppError) return { refusal: { code: error.code, detail: error.message } };
    return { fault: error instanceof Error ? error.message : String(error) };
  }
}

process.on('message', async (source: string) => {
  process.send?.(await answerTo(source));
});

// A terminal sends these to the shop's processes all at once; the shop finishes what it is doing first.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
