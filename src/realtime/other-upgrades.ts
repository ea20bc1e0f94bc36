/** Offers to go on with another protocol than HTTP that are not meant for the sockets. */
import type { Server as HttpServer, IncomingMessage } from 'node:http';

const OFFER = /^(upgrade|http2-settings)$/i;

/**
 * Node hands every request with `Upgrade` to whoever listens for upgrades instead of answering it. Java's HTTP client offers
 * HTTP/2 with the first request of a connection: as HTTP asks (RFC 9110, 7.8), what is not known is passed over.
 */
export function passOverUpgrades(httpServer: HttpServer, isForSockets: (req: IncomingMessage) => boolean): void {
  httpServer.on('upgrade', (req, socket, rest) => {
    if (isForSockets(req)) return;
    socket.unshift(Buffer.concat([Buffer.from(withoutOffer(req), 'latin1'), rest]));
    // It is read again from the beginning, by a parser that knows of no offer.
    httpServer.emit('connection', socket);
  });
}

function withoutOffer({ method, url, httpVersion, rawHeaders }: IncomingMessage): string {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const [name = '', value = ''] = rawHeaders.slice(i, i + 2);
    if (/^connection$/i.test(name)) lines.push(`${name}: ${withoutNames(value)}`);
    else if (!OFFER.test(name)) lines.push(`${name}: ${value}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

const withoutNames = (value: string) =>
  value
    .split(',')
    .filter((name) => !OFFER.test(name.trim()))
    .join(',');
