/** Reads a mail as a mail program does: enough of RFC 5322, 2045 and 2047 for text and HTML. */

export interface ReadMail {
  /** Names in lower case; a header that occurs twice has two values. */
  headers: Record<string, string[]>;
  subject: string;
  text: string;
  html: string;
}

export function readMail(raw: string): ReadMail {
  const { headers, body } = split(raw);
  const parts = partsOf(headers, body);
  const part = (type: string) => parts.find(({ headers: h }) => h['content-type']?.[0]?.startsWith(type));
  return {
    headers,
    subject: decodeWords(headers.subject?.[0] ?? ''),
    text: contentOf(part('text/plain')),
    html: contentOf(part('text/html')),
  };
}

type Part = { headers: Record<string, string[]>; body: string };

function split(raw: string): Part {
  const end = raw.indexOf('\r\n\r\n');
  const headers: Record<string, string[]> = {};
  for (const line of raw
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n')) {
    const [name = '', ...value] = line.split(':');
    const key = name.toLowerCase();
    headers[key] = [...(headers[key] ?? []), value.join(':').trim()];
  }
  return { headers, body: raw.slice(end + 4) };
}

function partsOf(headers: Part['headers'], body: string): Part[] {
  const boundary = /boundary="?([^";]+)/.exec(headers['content-type']?.[0] ?? '')?.[1];
  if (!boundary) return [{ headers, body }];
  return body
    .split(`--${boundary}`)
    .slice(1, -1)
    .map((part) => split(part.slice(2, -2)));
}

function contentOf(part: Part | undefined): string {
  if (!part) return '';
  const encoding = part.headers['content-transfer-encoding']?.[0];
  if (encoding === 'base64') return Buffer.from(part.body, 'base64').toString();
  const text = encoding === 'quoted-printable' ? decodeQuoted(part.body.replace(/=\r\n/g, '')) : part.body;
  return text.replaceAll('\r\n', '\n');
}

const decodeQuoted = (text: string) =>
  Buffer.from(
    text.replace(/=([\dA-F]{2})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString();

const decodeWords = (value: string) =>
  value
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?(q|b)\?([^?]*)\?=/gi, (_all, kind: string, text: string) =>
      kind.toLowerCase() === 'b' ? Buffer.from(text, 'base64').toString() : decodeQuoted(text.replaceAll('_', ' ')),
    );
