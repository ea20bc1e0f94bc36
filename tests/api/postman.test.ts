import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { COLLECTION_FILE, collectionText, type toPostmanCollection } from '../../.scripts/make-postman-collection.ts';
import { createApiDocument } from '../../src/openapi/document.ts';
import { ADMIN, API_KEY, type Feira, startFeira } from '../helpers/start-feira.ts';

type Collection = ReturnType<typeof toPostmanCollection>;
type Item = Collection['item'][number]['item'][number];

let feira: Feira;
let text: string;
beforeAll(async () => {
  [feira, text] = await Promise.all([startFeira(), readFile(COLLECTION_FILE, 'utf8')]);
});
afterAll(() => feira.stop());

describe('the Postman collection', () => {
  it('is the one that `npm run postman` makes', () => {
    expect(text).toBe(collectionText(createApiDocument()));
  });

  it('runs from top to bottom', async () => {
    const collection: Collection = JSON.parse(text);
    const variables = new Map([
      ...collection.variable.map(({ key, value }): [string, string] => [key, value]),
      ['baseUrl', feira.url],
      ['apiKey', API_KEY],
      ['email', ADMIN.email],
      ['password', ADMIN.password],
    ]);
    const failed: string[] = [];
    let ran = 0;
    for (const item of collection.item.flatMap((folder) => folder.item)) {
      // A picture has to be chosen, a mail to be read.
      if (item.event[0]?.script.exec[0]?.startsWith('//')) continue;
      ran++;
      const answer = await send(item, variables);
      const body = await answer.text();
      runScript(item, answer, body, variables, (name) => failed.push(`${item.name} ${name}: ${answer.status} ${body}`));
    }
    expect(failed).toEqual([]);
    for (const name of ['productId', 'orderId', 'webhookId', 'keyId'])
      expect(variables.get(name)).toMatch(/^[\da-f]{24}$/);
    // What needs a person is the smaller part, and each says what it needs.
    expect(ran).toBeGreaterThan(65);
  });
});

function send({ request }: Item, variables: Map<string, string>): Promise<Response> {
  const fill = (template: string) =>
    template.replace(/\{\{(\$?\w+)\}\}/g, (_all, name: string) => {
      if (name === '$guid') return randomUUID();
      return name === '$timestamp' ? String(Date.now()) : (variables.get(name) ?? '');
    });
  const path = request.url.path.map((segment) => {
    const variable = request.url.variable.find(({ key }) => segment === `:${key}`);
    return variable ? fill(variable.value ?? '') : segment;
  });
  const headers = new Headers();
  for (const header of request.header)
    if (!('disabled' in header)) headers.set(header.key ?? '', fill(String(header.value)));
  if (request.auth.bearer) headers.set('Authorization', `Bearer ${fill(request.auth.bearer[0]!.value)}`);
  if (request.body) headers.set('Content-Type', 'application/json');
  return fetch(`${fill(request.url.host[0]!)}/${path.join('/')}`, {
    method: request.method,
    headers,
    body: request.body?.raw === undefined ? undefined : fill(request.body.raw),
  });
}

/** The part of Postman's `pm` that the collection uses. */
function runScript(
  { event }: Item,
  answer: Response,
  body: string,
  variables: Map<string, string>,
  onFailure: (name: string) => void,
): void {
  const pm = {
    response: {
      json: () => JSON.parse(body),
      headers: answer.headers,
      to: { have: { status: (status: number) => expect(answer.status).toBe(status) } },
    },
    collectionVariables: { set: (key: string, value: unknown) => variables.set(key, String(value)) },
    test: (name: string, check: () => void) => {
      try {
        check();
      } catch {
        onFailure(name);
      }
    },
  };
  new Function('pm', event[0]!.script.exec.join('\n'))(pm);
}
