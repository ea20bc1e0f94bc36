/** One request to an address that somebody has given: never to a private network, never further than there. */
import { lookup } from 'node:dns/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import ipaddr from 'ipaddr.js';

const MAX_ANSWER_BYTES = 16 * 1024;

export interface WebhookRequest {
  url: string;
  headers: Record<string, string>;
  body: string;
  /** For all of it: the name, the connection, the answer. */
  limitMs: number;
  allowPrivate: boolean;
}

/** Why nothing was answered; the message is for the log that staff read. */
export class WebhookFault extends Error {
  override name = 'WebhookFault';
}

/** @returns the status of the answer. Redirects are answers. @throws WebhookFault */
export async function postWebhook({ url, headers, body, limitMs, allowPrivate }: WebhookRequest): Promise<number> {
  const target = new URL(url);
  const limit = AbortSignal.timeout(limitMs);
  const late = new WebhookFault(`There was no answer within ${limitMs / 1000} s.`);
  const address = await untilAborted(limit, late, addressOf(target.hostname, allowPrivate));
  return new Promise((resolve, reject) => {
    const send = target.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = send(target, {
      method: 'POST',
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      agent: false,
      signal: limit,
      // The address that was judged, whatever the name stands for by now.
      lookup: (_name, { all }, done) => (all ? done(null, [address]) : done(null, address.address, address.family)),
    });
    request.on('response', (answer) => {
      let bytes = 0;
      const finish = () => {
        resolve(answer.statusCode ?? 0);
        request.destroy();
      };
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes >= MAX_ANSWER_BYTES) finish();
      });
      answer.on('end', finish);
      answer.on('error', () => reject(limit.aborted ? late : new WebhookFault('The answer broke off.')));
    });
    // Unasked for, and without a listener it would end the request without a word.
    request.on('upgrade', (answer, socket) => {
      resolve(answer.statusCode ?? 0);
      socket.destroy();
    });
    request.on('error', (error: NodeJS.ErrnoException) =>
      reject(limit.aborted ? late : new WebhookFault(`There was no answer: ${reasonOf(error)}.`)),
    );
    request.end(body);
  });
}

/** The usual ones in words: staff read them. */
const REASONS: Record<string, string> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection broke off',
  EHOSTUNREACH: 'the machine cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  CERT_HAS_EXPIRED: 'the certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is signed by itself',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another name',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the certificate comes without the one that vouches for it',
};

const reasonOf = ({ code = '', message }: NodeJS.ErrnoException) => REASONS[code] ?? (code || message);

interface Address {
  address: string;
  family: number;
}

/** The address of a name or of an address in any notation. @throws WebhookFault when one of them is not public */
async function addressOf(hostname: string, allowPrivate: boolean): Promise<Address> {
  const found = await lookup(hostname.replace(/^\[|\]$/g, ''), { all: true }).catch(() => []);
  const [first] = found;
  if (!first) throw new WebhookFault('The name has no address.');
  if (!allowPrivate && !found.every(({ address }) => isPublic(address)))
    throw new WebhookFault('The address is not a public one.');
  return first;
}

/** Is it an address of the public internet? Those that stand for another one, such as by NAT64 or 6to4, are not. */
export function isPublic(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const ip = ipaddr.process(address);
  return ip.range() === 'unicast' && (ip.kind() === 'ipv4' || ip.match(GLOBAL_UNICAST));
}

const GLOBAL_UNICAST = ipaddr.parseCIDR('2000::/3');

/** Whether the host of a URL may be public: a name always may, until it is looked up. */
export function mayBePublic(url: string): boolean {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (ipaddr.isValid(host)) return isPublic(host);
  return host.includes('.') && !/(?:^|\.)(?:localhost|local|internal|home\.arpa)$/.test(host);
}

function untilAborted<T>(signal: AbortSignal, error: Error, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(error), { once: true });
    work.then(resolve, reject);
  });
}
