/** Which web pages may send forms and open sockets: those of the shop itself. */
import type { IncomingMessage } from 'node:http';

/**
 * Is the request free of signs that another site's page made it? Programs send no Origin and pass; they carry no
 * cookies of a browser. With PUBLIC_URL the origin must be that one, otherwise it must be the host that was asked for.
 */
export function isOwnOrigin(req: IncomingMessage, publicUrl: string | undefined): boolean {
  const { origin, host } = req.headers;
  if (req.headers['sec-fetch-site'] === 'cross-site') return false;
  if (origin === undefined) return true;
  if (publicUrl !== undefined) return origin === publicUrl;
  return URL.canParse(origin) && new URL(origin).host === host;
}
