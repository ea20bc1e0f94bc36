import { afterAll, beforeAll, it } from '@jest/globals';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
beforeAll(async () => {
  // One proxy in front: the test says where requests come from.
  feira = await startFeira({ WRITES_PER_MINUTE: '3', TRUST_PROXY: '1' });
});
afterAll(() => feira.stop());

it('changes are limited for a whole network of IPv6, of which a home has every address', async () => {
  const createFrom = (address: string) =>
    feira.api.post('/api/carts').set('X-Forwarded-For', address).send({ items: [] });
  for (const host of [':1', ':2', 'aaaa:bbbb:cccc:dddd']) await createFrom(`2001:db8:9:9:${host}`).expect(201);
  await createFrom('2001:db8:9:9::4').expect(429);
  await createFrom('2001:0DB8:0009:0009:0::5').expect(429);
  await createFrom('2001:db8:9:a::4').expect(201);
  for (const address of ['203.0.113.1', '::ffff:203.0.113.1', '203.0.113.1']) await createFrom(address).expect(201);
  await createFrom('203.0.113.1').expect(429);
  await createFrom('203.0.113.2').expect(201);
});
