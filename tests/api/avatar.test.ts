import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { logInBrowser, someone } from '../helpers/accounts.ts';
import { animation, halves, KINDS, picture, pngBomb } from '../helpers/pictures.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
import { filesOf } from '../helpers/uploads.ts';
import { eventually } from '../helpers/wait-for.ts';
import { hiddenFields } from '../helpers/web-visitor.ts';

const NAME = /^\/uploads\/avatars\/[\da-f]{32}\.webp$/;
const MEGABYTE = 1024 * 1024;

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

type Person = Awaited<ReturnType<typeof someone>>;
const send = ({ as }: Pick<Person, 'as'>, ...files: Buffer[]) =>
  files.reduce((req, file) => req.attach('file', file, 'me.png'), as('post', '/api/users/avatar'));

/** The person's picture on the disk; nobody else's is looked at. */
const fileOf = async (avatar: string) => (await filesOf(feira)).filter((file) => avatar.endsWith(file));

/** What came with a form is removed when its answer has left. */
const expectOnly = (files: string[]) =>
  eventually(async () => JSON.stringify(await filesOf(feira)) === JSON.stringify(files));

describe('POST /api/users/avatar', () => {
  it.each(KINDS)('makes a small WebP of a %s, and serves it', async (kind) => {
    const ana = await someone(feira);
    const { body, headers } = await send(ana, await picture(kind, 1000, 600)).expect(200);
    expect(headers.etag).toMatch(/^"2\b/);
    expect(body).toEqual({
      ...ana.user,
      avatar: expect.stringMatching(NAME),
      version: 2,
      updatedAt: expect.any(String),
    });
    expect((await ana.as('get', '/api/users/profile')).body).toEqual(body);
    const served = await feira.api.get(body.avatar).expect(200);
    expect(served.headers).toMatchObject({
      'content-type': 'image/webp',
      'cache-control': 'private, max-age=3600',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
    });
    expect(await sharp(served.body).metadata()).toMatchObject({ format: 'webp', width: 480, height: 288 });
  });

  it('keeps no metadata, and one frame of an animation', async () => {
    const ana = await someone(feira);
    const tagged = await halves()
      .jpeg()
      .withExif({ IFD0: { Copyright: 'secret-place' } })
      .toBuffer();
    const { body } = await send(ana, tagged).expect(200);
    const { body: bytes } = await feira.api.get(body.avatar);
    expect(bytes.includes('secret-place')).toBe(false);
    expect((await sharp(bytes).metadata()).exif).toBeUndefined();

    const moving = await send(ana, await animation('gif')).expect(200);
    const still = await sharp((await feira.api.get(moving.body.avatar)).body).metadata();
    expect(still.pages ?? 1).toBe(1);
  });

  it('replaces the picture before it, whose file is gone; of many at once one stays', async () => {
    const ana = await someone(feira);
    const first = await send(ana, await picture()).expect(200);
    const before = await filesOf(feira);
    const second = await send(ana, await picture()).expect(200);
    await feira.api.get(first.body.avatar).expect(404);
    expect(await filesOf(feira)).toHaveLength(before.length);

    const bytes = await picture();
    await Promise.all(Array.from({ length: 4 }, () => send(ana, bytes).expect(200)));
    expect(await fileOf(second.body.avatar)).toEqual([]);
    expect(await filesOf(feira)).toHaveLength(before.length);
    const { body } = await ana.as('get', '/api/users/profile');
    await feira.api.get(body.avatar).expect(200);
  });

  it('of one person holds the pictures of others up no longer than a few take', async () => {
    const ana = await someone(feira);
    const bytes = await picture();
    const answers = await Promise.all(Array.from({ length: 30 }, () => send(ana, bytes)));
    const refused = answers.filter(({ status }) => status === 429);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(30 - refused.length);
    expect(refused.length).toBeGreaterThan(10);
    expect(refused[0]).toMatchObject({ body: { code: 'TOO_MANY_REQUESTS' }, headers: { 'retry-after': '1' } });
    await send(ana, bytes).expect(200);
  });

  it('depends on the version that was read', async () => {
    const ana = await someone(feira);
    const before = await filesOf(feira);
    const refused = await send(ana, await picture()).set('If-Match', '"9"');
    expect(refused.body.code).toBe('VERSION_MISMATCH');
    expect(await filesOf(feira)).toEqual(before);
    await send(ana, await picture())
      .set('If-Match', '"1"')
      .expect(200);
  });

  it('is for people who are logged in', async () => {
    const bytes = await picture();
    await feira.api.post('/api/users/avatar').attach('file', bytes, 'me.png').expect(401);
    await feira.withKey('post', '/api/users/avatar').attach('file', bytes, 'me.png').expect(403);
    await feira.api.delete('/api/users/avatar').expect(401);
  });

  const refusals: [
    string,
    (person: Person) => PromiseLike<{ status: number; body: { code: string } }>,
    number,
    string,
  ][] = [
    ['text', (person) => send(person, Buffer.from('hello')), 415, 'UNSUPPORTED_MEDIA_TYPE'],
    [
      'SVG',
      (person) => send(person, Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')),
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    ['JSON', ({ as }) => as('post', '/api/users/avatar').send({ file: 'x' }), 415, 'UNSUPPORTED_MEDIA_TYPE'],
    [
      'half a picture',
      async (person) => send(person, (await picture('jpeg')).subarray(0, 500)),
      422,
      'UNREADABLE_PICTURE',
    ],
    ['too many pixels', (person) => send(person, pngBomb(50_000, 50_000, 1000)), 422, 'UNREADABLE_PICTURE'],
    ['a large file', (person) => send(person, Buffer.alloc(10 * MEGABYTE + 1)), 413, 'TOO_LARGE'],
    ['two pictures', async (person) => send(person, await picture(), await picture()), 413, 'TOO_LARGE'],
    ['no picture', ({ as }) => as('post', '/api/users/avatar').field('name', 'x'), 422, 'INVALID_INPUT'],
    ['another field', async (person) => send(person, await picture()).field('role', 'admin'), 422, 'INVALID_INPUT'],
  ];
  it.each(refusals)('refuses %s, and leaves nothing behind', async (_what, attempt, status, code) => {
    const ana = await someone(feira);
    const before = await filesOf(feira);
    const { body, ...answer } = await attempt(ana);
    expect({ status: answer.status, code: body.code }).toEqual({ status, code });
    expect(await filesOf(feira)).toEqual(before);
    expect((await ana.as('get', '/api/users/profile')).body).toEqual(ana.user);
  });
});

describe('DELETE /api/users/avatar', () => {
  it('removes the picture and its file, and may be repeated', async () => {
    const ana = await someone(feira);
    const { body } = await send(ana, await picture()).expect(200);
    await ana.as('delete', '/api/users/avatar').expect(204);
    await feira.api.get(body.avatar).expect(404);
    expect(await fileOf(body.avatar)).toEqual([]);
    expect((await ana.as('get', '/api/users/profile')).body.avatar).toBeNull();
    await ana.as('delete', '/api/users/avatar').expect(204);
    await ana.as('delete', '/api/users/avatar').set('If-Match', '"1"').expect(412);
  });
});

describe('the picture on /profile, without JavaScript', () => {
  const visit = async () => {
    const { user } = await someone(feira);
    const { agent, open, submit } = await logInBrowser(feira, user.email);
    const choose = async (file: Buffer, token?: string) => {
      const { _csrf = '' } = hiddenFields((await open('/profile')).text, '/profile/avatar');
      return agent
        .post('/profile/avatar')
        .field('_csrf', token ?? _csrf)
        .attach('file', file, 'me.png');
    };
    return { agent, open, submit, choose };
  };

  it('is chosen, shown and removed by forms', async () => {
    const { open, submit, choose } = await visit();
    const answer = await choose(await picture());
    expect([answer.status, answer.headers.location]).toEqual([303, '/profile']);
    const [, avatar = ''] = /<img src="([^"]+)"[^>]*alt="Your picture"/.exec((await open('/profile')).text) ?? [];
    expect(avatar).toMatch(NAME);
    await feira.api.get(avatar).expect(200);
    await submit('/profile', {}, '/profile/avatar/remove');
    expect((await open('/profile')).text).not.toContain('alt="Your picture"');
    await feira.api.get(avatar).expect(404);
  });

  it('is refused with the reason beside the form', async () => {
    const before = await filesOf(feira);
    const { choose } = await visit();
    const refused = await choose(Buffer.from('hello'));
    expect(refused.status).toBe(415);
    expect(refused.text).toContain('It is not a JPEG, PNG, WebP, AVIF or GIF picture.');
    expect(refused.text).toContain('action="/profile/avatar"');
    const large = await choose(Buffer.alloc(10 * MEGABYTE + 1));
    expect(large.status).toBe(413);
    await expectOnly(before);
  });

  it('is refused without the token of the page, or with one of somebody else', async () => {
    const before = await filesOf(feira);
    const [ana, bea] = await Promise.all([visit(), visit()]);
    const { _csrf = '' } = hiddenFields((await bea.open('/profile')).text, '/profile/avatar');
    expect((await ana.choose(await picture(), _csrf)).status).toBe(403);
    expect((await ana.choose(await picture(), '')).status).toBe(403);
    expect((await ana.agent.post('/profile/avatar').attach('file', await picture(), 'me.png')).status).toBe(403);
    const elsewhere = ana.agent.post('/profile/avatar').set('Origin', 'https://evil.example');
    expect((await elsewhere.attach('file', await picture(), 'me.png')).status).toBe(403);
    await expectOnly(before);
  });

  it('cannot be sent by visitors', async () => {
    const answer = await feira.api.post('/profile/avatar').attach('file', await picture(), 'me.png');
    expect([answer.status, answer.headers.location]).toEqual([303, '/login?next=%2Fprofile%2Favatar']);
  });
});
