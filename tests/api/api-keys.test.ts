import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EventBus } from '../../src/events.ts';
import { ApiKey } from '../../src/models/api-key.model.ts';
import { ApiKeyService } from '../../src/services/api-key.service.ts';
import { admin } from '../helpers/accounts.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

const INSTANCES = 12;
const apiKeys = () => new ApiKeyService({ bus: new EventBus(() => undefined), staffNeedTwoStep: false });
let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

describe('instances that start at the same moment', () => {
  const startAll = (configured: string | undefined) =>
    Promise.all(Array.from({ length: INSTANCES }, () => apiKeys().ensureKey(configured)));

  it('store the configured key once', async () => {
    for (let round = 0; round < 5; round++) {
      await ApiKey.deleteMany({});
      const key = `the-key-of-round-${round}`;
      expect(await startAll(key)).toEqual(Array(INSTANCES).fill(null));
      expect(await ApiKey.countDocuments()).toBe(1);
      expect(await apiKeys().authenticate(key)).toMatchObject({ kind: 'key' });
    }
  });

  it('make one key when none is configured, and only one of them shows it', async () => {
    await ApiKey.deleteMany({});
    const made = (await startAll(undefined)).filter((key) => key !== null);
    expect(made).toHaveLength(1);
    expect(await apiKeys().authenticate(made[0] ?? '')).toMatchObject({ kind: 'key' });
  });
});

describe("a person's key that has the name of the variable", () => {
  it('stays as it is, whatever is configured at the next start', async () => {
    await ApiKey.deleteMany({});
    const boss = await admin(feira);
    const wanted = { name: 'FEIRA_API_KEY', permissions: ['audit:read'] };
    const { body } = await boss.as('post', '/api/keys').send(wanted).expect(201);
    for (const configured of [undefined, 'the-configured-key', 'the-next-configured-key', undefined]) {
      await apiKeys().ensureKey(configured);
      await feira.api.get('/api/audit').set('Authorization', `Bearer ${body.key}`).expect(200);
    }
  });
});
