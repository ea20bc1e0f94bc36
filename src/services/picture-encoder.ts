/**
 * Decodes pictures outside of the shop's own process: a decoder that crashes or hangs takes one upload with it, the
 * memory goes back to the machine, and a stranger's bytes never meet the shop's secrets.
 */
import { type ChildProcess, fork } from 'node:child_process';
import pLimit from 'p-limit';
import { AppError } from '../errors.ts';
import type { EncodedPicture } from './encode-picture.ts';
import type { PictureAnswer } from './picture-process.ts';

const MAX_PROCESSES = 2;
const MAX_MS = 20_000;
/** How long a process waits for another picture. */
const IDLE_MS = 10_000;

const decoding = pLimit(MAX_PROCESSES);
/** Processes without work, each with the timer that will end it. */
const idle = new Map<ChildProcess, NodeJS.Timeout>();

/**
 * What encodePicture of encode-picture.ts promises, at most two at a time.
 * @throws AppError UNSUPPORTED_MEDIA_TYPE, UNREADABLE_PICTURE
 */
export function encodePicture(source: string): Promise<EncodedPicture> {
  return decoding(async () => {
    const child = takeIdle() ?? startProcess();
    const answer = await ask(child, source);
    release(child);
    if ('picture' in answer) return answer.picture;
    if ('fault' in answer) throw new Error(answer.fault);
    throw new AppError(answer.refusal.code, answer.refusal.detail);
  });
}

function startProcess(): ChildProcess {
  const fromSource = import.meta.url.endsWith('.ts');
  const child = fork(new URL(`./picture-process.${fromSource ? 'ts' : 'js'}`, import.meta.url), {
    execArgv: fromSource ? ['--import', 'tsx'] : [],
    // None of the shop's variables, and glibc's memory in one piece: spread over threads it is not given back.
    env: { MALLOC_ARENA_MAX: '1', UV_THREADPOOL_SIZE: '1' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  child.once('exit', () => withdraw(child));
  // What matters of it reaches `ask`; without any listener it would end the shop.
  child.on('error', () => {});
  return child;
}

function ask(child: ChildProcess, source: string): Promise<PictureAnswer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), MAX_MS);
    const finish = () => {
      clearTimeout(timer);
      child.off('message', onMessage).off('error', onError).off('exit', onExit);
    };
    const onMessage = (answer: PictureAnswer) => {
      finish();
      resolve(answer);
    };
    const onError = (error: Error) => {
      finish();
      child.kill('SIGKILL');
      reject(error);
    };
    const onExit = (code: number | null) => {
      finish();
      if (code === null) reject(new AppError('UNREADABLE_PICTURE', 'It cannot be decoded, or takes too long.'));
      else reject(new Error(`The process for pictures ended with code ${code}.`));
    };
    child.on('message', onMessage).on('error', onError).on('exit', onExit);
    child.send(source);
  });
}

/** Keeps the process for the next picture for a while, without keeping the shop from ending. */
function release(child: ChildProcess): void {
  child.unref();
  child.channel?.unref();
  const end = () => {
    withdraw(child);
    child.disconnect();
  };
  idle.set(child, setTimeout(end, IDLE_MS).unref());
}

function takeIdle(): ChildProcess | undefined {
  const [child] = idle.keys();
  if (child) withdraw(child);
  return child;
}

function withdraw(child: ChildProcess): void {
  clearTimeout(idle.get(child));
  idle.delete(child);
}
