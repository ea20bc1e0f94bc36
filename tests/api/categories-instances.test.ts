/** The tree of categories when two processes change it at the same moment. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MongoClient } from 'mongodb';
import type { CategoryDto } from '../../src/models/category.model.ts';
import { productInput } from '../helpers/factories.ts';
import { API_KEY, databaseUri } from '../helpers/start-feira.ts';
import { type FeiraProcess, startProcess } from '../helpers/start-process.ts';

const ROUNDS = 6;
let client: MongoClient;
let [one, other]: FeiraProcess[] = [];
beforeAll(async () => {
  const uri = databaseUri(`feira_test_${randomBytes(6).toString('hex')}`);
  client = await MongoClient.connect(uri);
  const env = { MONGODB_URI: uri, FEIRA_API_KEY: API_KEY, WRITES_PER_MINUTE: '100000' };
  [one, other] = await Promise.all([startProcess(env), startProcess(env)]);
});
afterAll(async () => {
  await Promise.all([one?.end('SIGTERM'), other?.end('SIGTERM')]);
  await client.db().dropDatabase();
  await client.close();
});

const write = (feira: FeiraProcess | undefined, method: 'post' | 'patch' | 'delete', path: string, body?: object) =>
  feira!.api[method](path).set('Authorization', `Bearer ${API_KEY}`).send(body);
const create = (feira: FeiraProcess | undefined, overrides: object) =>
  write(feira, 'post', '/api/products', productInput(overrides));
const categories = async (): Promise<CategoryDto[]> =>
  (await one!.api.get('/api/categories?empty=true').set('Authorization', `Bearer ${API_KEY}`).expect(200)).body.items;

describe('a category', () => {
  it('that two products of the same moment are the first in is made once', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const category = `New ${round}`;
      const made = await Promise.all([one, other, one, other].map((feira) => create(feira, { category })));
      expect(made.map(({ status, body }) => body.detail ?? status)).toEqual([201, 201, 201, 201]);
      expect((await categories()).filter(({ name }) => name === category)).toMatchObject([{ count: 4 }]);
    }
  });

  it('is there for a draft that comes while it goes or gets another name', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const name = `Old ${round}`;
      const { body } = await write(one, 'post', '/api/categories', { name }).expect(201);
      const path = `/api/categories/${body.id}`;
      const [, draft] = await Promise.all([
        round % 2
          ? write(one, 'delete', path)
          : write(one, 'patch', path, { name: `Other ${round}`, slug: `o-${round}` }),
        create(other, { category: name, draft: true }).expect(201),
      ]);
      const { body: now } = await one!.api
        .get(`/api/products/${draft.body.id}`)
        .set('Authorization', `Bearer ${API_KEY}`);
      expect(await categories()).toContainEqual(
        expect.objectContaining({ name: now.category, path: now.categoryPath }),
      );
    }
  });
});
