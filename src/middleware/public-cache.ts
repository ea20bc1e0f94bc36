/**
 * Answers public reads in front of Express from ready bytes. An entry is valid for one version of the catalogue, so a
 * write is visible in the next read. Requests with a cookie or a key go past it.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { LRUCache } from 'lru-cache';
import type { CatalogueVersion } from '../services/catalogue-version.ts';
import { requestId } from './request-context.ts';

const MAX_BYTES = 16 * 1024 * 1024;
const MAX_URL_LENGTH = 512;
const WORTH_COMPRESSING = 1024;

/** Other addresses do not depend on the catalogue: they need not ask for its version, which may cost a query. */
const CATALOGUE_READS = /^\/(?:$|\?|products\/|realtimeproducts|api\/(?:products|categories))/;

type Encoding = 'br' | 'gzip' | 'identity';

interface Entry {
  version: number;
  etag: string;
  /** Names and values in turn, as writeHead takes them. */
  headers: string[];
  bodies: Partial<Record<Encoding, Buffer>> & { identity: Buffer };
}

const VERSION = Symbol('the catalogue version that an answer was made from');
type Cacheable = ServerResponse & { [VERSION]?: number };

/**
 * Lets this answer be sent to everyone until the catalogue changes.
 * @param version the catalogue's version, read before the data that the answer was made from.
 */
export function allowPublicCache(res: ServerResponse, version: number): void {
  (res as Cacheable)[VERSION] = version;
  res.setHeader('Cache-Control', 'no-cache');
  res.setHeader('Vary', 'Accept-Encoding, Cookie, Authorization');
}

/** A request listener that answers what it can and hands the rest to `app`. */
export function publicCache(app: RequestListener, version: Pick<CatalogueVersion, 'current'>): RequestListener {
  const entries = new LRUCache<string, Entry>({
    maxSize: MAX_BYTES,
    sizeCalculation: ({ bodies }, url) => url.length + 1000 + bodies.identity.length * 2,
  });

  const answer = (req: IncomingMessage, res: ServerResponse, current: number) => {
    const url = req.url ?? '';
    const entry = entries.get(url);
    if (entry?.version === current) return send(req, res, entry);
    keepAnswer(res, (made) => entries.set(url, made));
    app(req, res);
  };

  return (req, res) => {
    if (!isPublicRead(req)) return app(req, res);
    const current = version.current();
    if (typeof current === 'number') return answer(req, res, current);
    current.then(
      (read) => answer(req, res, read),
      () => app(req, res),
    );
  };
}

function isPublicRead({ method, url = '', headers }: IncomingMessage): boolean {
  if (method !== 'GET' || headers.cookie || headers.authorization) return false;
  return url.length <= MAX_URL_LENGTH && CATALOGUE_READS.test(url);
}

function send(req: IncomingMessage, res: ServerResponse, entry: Entry): void {
  const id = requestId(req);
  if (matches(req.headers['if-none-match'], entry.etag)) {
    res.writeHead(304, ['ETag', entry.etag, 'Cache-Control', 'no-cache', 'X-Request-Id', id]).end();
    return;
  }
  const encoding = entry.bodies.identity.length < WORTH_COMPRESSING ? 'identity' : preferred(req);
  entry.bodies[encoding] ??= compress(entry.bodies.identity, encoding);
  const body = entry.bodies[encoding];
  const headers = [...entry.headers, 'X-Request-Id', id, 'Content-Length', String(body.length)];
  if (encoding !== 'identity') headers.push('Content-Encoding', encoding);
  res.writeHead(200, headers).end(body);
}

/** Weak comparison, as If-None-Match wants it: the compressed forms share one tag. */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header === etag || header === '*' || header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
}

function preferred({ headers }: IncomingMessage): Encoding {
  const accepted = headers['accept-encoding'];
  if (typeof accepted !== 'string' || /;\s*q=0(\.0*)?\s*(,|$)/.test(accepted)) return 'identity';
  return /\bbr\b/.test(accepted) ? 'br' : /\bgzip\b/.test(accepted) ? 'gzip' : 'identity';
}

/** Once for each entry, so it may take a millisecond. */
function compress(body: Buffer, encoding: Encoding): Buffer {
  if (encoding === 'br') return brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } });
  return encoding === 'gzip' ? gzipSync(body) : body;
}

const PER_ANSWER = new Set(['x-request-id', 'content-length', 'date', 'connection', 'keep-alive', 'transfer-encoding']);

/** Express ends an answer with one call that carries the whole body; that is where it is picked up. */
function keepAnswer(res: Cacheable, keep: (entry: Entry) => void): void {
  const end = res.end.bind(res);
  res.end = ((chunk?: unknown, ...rest: never[]) => {
    const version = res[VERSION];
    const etag = res.getHeader('ETag');
    if (version !== undefined && res.statusCode === 200 && chunk && typeof etag === 'string' && !res.headersSent) {
      const identity = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
      const headers = Object.entries(res.getHeaders())
        .filter(([name]) => !PER_ANSWER.has(name))
        .flatMap(([name, value]) => [name, String(value)]);
      keep({ version, etag, headers, bodies: { identity } });
    }
    return end(chunk as never, ...rest);
  }) as typeof res.end;
}
