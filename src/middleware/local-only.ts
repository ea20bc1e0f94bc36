/** Keeps pages that show other people's secrets to the machine of whoever develops the shop. */
import type { IncomingMessage } from 'node:http';
import type { RequestHandler } from 'express';
import { AppError } from '../errors.ts';

const LOOPBACK_ADDRESS = /^(?:(?:::ffff:)?127\.[\d.]+|::1)$/;
const LOOPBACK_NAME = /^(?:(?:.+\.)?localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;
/** What proxies say about themselves and about whom they speak for. */
const PROXY_HEADER = /^(?:via|forwarded|x-forwarded-.+|x-real-ip|x-client-ip|true-client-ip|cf-.+)$/;

interface LocalOnlyOptions {
  production: boolean;
  http: { publicUrl: string | undefined; trustProxy: string | number };
}

/**
 * Answers only a browser on the same machine that asked for this machine by name, with nothing in between; not at all in
 * production, and where PUBLIC_URL or TRUST_PROXY say that others come here. @throws AppError NOT_FOUND for the rest
 */
export function localOnly({ production, http: { publicUrl, trustProxy } }: LocalOnlyOptions): RequestHandler {
  const isPrivate = !production && trustProxy === 0 && (publicUrl === undefined || isLoopback(publicUrl));
  return (req, _res, next) => {
    if (!isPrivate || !isDirect(req)) throw new AppError('NOT_FOUND', 'There is nothing at this address.');
    next();
  };
}

function isDirect({ socket, headers, httpVersion }: IncomingMessage): boolean {
  if (!LOOPBACK_ADDRESS.test(socket.remoteAddress ?? '')) return false;
  // A name of somebody else that leads here is how a foreign page would read along (DNS rebinding).
  if (!isLoopback(`http://${headers.host}`)) return false;
  // Proxies that say nothing of themselves mostly speak HTTP/1.0.
  return httpVersion === '1.1' && !Object.keys(headers).some((name) => PROXY_HEADER.test(name));
}

const isLoopback = (url: string) => URL.canParse(url) && LOOPBACK_NAME.test(new URL(url).hostname);
