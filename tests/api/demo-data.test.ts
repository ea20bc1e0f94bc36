import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { demoCatalogue } from '../../src/demo/catalogue.ts';
import type { ProductDto } from '../../src/models/product.model.ts';
import { productInput } from '../helpers/factories.ts';
import { API_KEY, databaseUri, type Feira, startFeira } from '../helpers/start-feira.ts';
import { type FeiraProcess, startProcess } from '../helpers/start-process.ts';

const running: Feira[] = [];
afterEach(async () => {
  for (const feira of running.splice(0)) await feira.stop();
});

async function start(env: Record<string, string>): Promise<Feira> {
  const feira = await startFeira(env);
  running.push(feira);
  return feira;
}

const all = async (feira: Pick<Feira, 'api'>): Promise<ProductDto[]> =>
  (await feira.api.get('/api/products?limit=100').expect(200)).body.items;

describe('a shop that starts for the first time', () => {
  it('shows the demo products in the order of the shop window, with their pictures', async () => {
    const feira = await start({ DEMO_DATA: '1' });
    const products = await all(feira);
    expect(products.map(({ code, title, price }) => ({ code, title, price }))).toEqual(
      demoCatalogue.map(({ code, title, price }) => ({ code, title, price })),
    );
    expect(products).toHaveLength(24);
    const { body } = await feira.api.get('/api/categories').expect(200);
    const names = body.items.map(({ name, count }: { name: string; count: number }) => `${name} ${count}`);
    expect(names).toEqual(['Garden 4', 'Household 12', 'Ceramics 4', 'Kitchen 4', 'Textiles 4', 'Pantry 4', 'Paper 4']);
    const byCode = new Map(products.map((product) => [product.code, product]));
    expect(byCode.get('CER-002')).toMatchObject({ stock: 42, variants: [{ values: ['Terracotta'] }, {}, {}] });
    expect(byCode.get('CER-002')?.related).toContain(byCode.get('CER-001')?.id);
    expect(byCode.get('TEX-002')).toMatchObject({ listPrice: 14900, lowestPrice30Days: 13900 });

    for (const { images, thumbnails, version, status, currency } of products) {
      expect({ images: images.length, thumbnails: thumbnails.length, version, status, currency }).toEqual({
        images: 1,
        thumbnails: 1,
        version: 1,
        status: true,
        currency: 'EUR',
      });
      for (const url of [images[0]!.url, images[0]!.thumbnail, thumbnails[0]!])
        await feira.api.head(url).expect(200).expect('Content-Type', 'image/webp');
    }
  });

  it('numbers the demo products as changes of the catalogue', async () => {
    const feira = await start({ DEMO_DATA: '1' });
    const socket = await feira.connectSocket();
    const answer = await socket.emitWithAck('catalogue:changes', { since: 0 });
    expect(answer).toMatchObject({ data: { complete: true, sequence: 24 } });
    const { changes } = (answer as { data: { changes: { sequence: number; type: string }[] } }).data;
    expect(changes.map((change) => change.sequence)).toEqual(Array.from({ length: 24 }, (_, i) => i + 1));
    expect(new Set(changes.map((change) => change.type))).toEqual(new Set(['created']));
  });

  it('stays empty when demo data are switched off', async () => {
    expect(await all(await start({ DEMO_DATA: '0' }))).toEqual([]);
  });
});

/** Processes on a database that outlives them, which is what a restart needs. */
describe('a shop on a database that others know', () => {
  let uri: string;
  let client: MongoClient;
  const processes: FeiraProcess[] = [];
  beforeEach(async () => {
    uri = databaseUri(`feira_test_${randomBytes(6).toString('hex')}`);
    client = await MongoClient.connect(uri);
  });
  afterEach(async () => {
    await Promise.all(processes.splice(0).map((feira) => feira.end('SIGTERM')));
    await client.db().dropDatabase();
    await client.close();
  });

  async function run(demoData = '1'): Promise<FeiraProcess> {
    const feira = await startProcess({ MONGODB_URI: uri, DEMO_DATA: demoData, FEIRA_API_KEY: API_KEY });
    processes.push(feira);
    return feira;
  }

  const stopAll = () => Promise.all(processes.splice(0).map((feira) => feira.end('SIGTERM')));

  it.each([24, 1])('does not bring back demo products when %i of them were deleted', async (count) => {
    const first = await run();
    const products = await all(first);
    for (const { id } of products.slice(0, count))
      await first.api.delete(`/api/products/${id}`).set('Authorization', `Bearer ${API_KEY}`).expect(204);
    await stopAll();
    expect(await all(await run())).toEqual(products.slice(count));
  });

  it('adds nothing to products that came from elsewhere', async () => {
    const first = await run('0');
    await first.api
      .post('/api/products')
      .set('Authorization', `Bearer ${API_KEY}`)
      .send(productInput({ code: 'MINE' }))
      .expect(201);
    await stopAll();
    await client.db().collection('counters').deleteMany({});
    expect((await all(await run())).map(({ code }) => code)).toEqual(['MINE']);
  });

  it('has each demo product once when three instances start at the same time', async () => {
    const [first] = await Promise.all([run(), run(), run()]);
    const codes = (await all(first)).map(({ code }) => code);
    expect(codes).toEqual(demoCatalogue.map(({ code }) => code));
    expect(await client.db().collection('products').countDocuments()).toBe(24);
    expect(await client.db().collection('catalogue_changes').countDocuments()).toBe(24);
  });
});
