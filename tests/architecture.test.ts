import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from '@jest/globals';

/**
 * Who may import whom. A room is a folder of src, or a file that stands in it alone. After `types:` come rooms of
 * which only types may be imported. What is not listed may not be imported.
 */
const MAY_IMPORT: Record<string, string> = {
  index: 'config error-in-log errors server',
  server: 'app config database errors events jobs middleware realtime running-requests services adapters demo',
  app: 'middleware permissions routers view-engine types: config services adapters',
  config: 'shop-rules',
  'shop-rules': 'schemas',
  errors: 'problem-codes',
  'problem-codes': '',
  actor: 'errors permissions types: words',
  permissions: '',
  words: '',
  origin: '',
  'cookie-name': '',
  'error-in-log': '',
  network: '',
  'running-requests': '',
  'view-engine': '',
  events: 'types: models services schemas',
  schemas: 'errors permissions problem-codes words',
  models: 'permissions words',
  services:
    'actor adapters database errors models network permissions schemas shop-rules words types: config events demo problem-codes',
  adapters: 'errors types: config',
  demo: '',
  database: 'errors models embedded-store types: config',
  middleware:
    'actor cookie-name error-in-log errors network origin schemas types: config permissions problem-codes services',
  routers: 'actor errors middleware network permissions problem-codes schemas openapi words types: config services',
  openapi: 'problem-codes schemas types: permissions',
  realtime: 'actor cookie-name errors network origin schemas types: config events services',
  jobs: 'types: services',
  'embedded-store': '',
};

/** Packages that only these rooms may import. */
const OWNERS: Record<string, RegExp> = {
  express: /^(app|routers|middleware|view-engine|schemas)/,
  'socket.io': /^realtime/,
  mongoose: /^(models|services|database)/,
  lmdb: /^embedded-store\/storage/,
  sharp: /^services/,
};

const src = join(process.cwd(), 'src');
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const roomOf = (file: string) => file.split('/')[0]!.replace(/\.ts$/, '');

interface Import {
  file: string;
  target: string;
  typeOnly: boolean;
}

const imports: Import[] = files.flatMap((file) => {
  const text = readFileSync(join(src, file), 'utf8');
  const statements = text.matchAll(
    /^(?:import|export)\s+(type\s)?(?:[^;']*?\sfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm,
  );
  return [...statements].map(([, type, named, dynamic]) => ({
    file,
    target: (named ?? dynamic)!,
    typeOnly: Boolean(type),
  }));
});

describe('the house', () => {
  it('imports only in the directions of the table', () => {
    const wrong = imports
      .filter(({ target }) => target.startsWith('.'))
      .map((line) => ({
        ...line,
        room: roomOf(line.file),
        to: roomOf(relative(src, join(src, dirname(line.file), line.target))),
      }))
      .filter(({ room, to, typeOnly }) => {
        const [values = '', types = ''] = (MAY_IMPORT[room] ?? '').split('types:');
        const allowed = typeOnly ? `${values} ${types}` : values;
        return room !== to && !allowed.split(/\s+/).includes(to);
      });
    expect(wrong.map(({ file, target, typeOnly }) => `${file} -> ${target}${typeOnly ? ' (type)' : ''}`)).toEqual([]);
  });

  it('keeps every package with its owners', () => {
    const wrong = imports.filter(({ file, target }) => OWNERS[target] && !OWNERS[target].test(file));
    expect(wrong.map(({ file, target }) => `${file} -> ${target}`)).toEqual([]);
  });

  it('reads process.env in config.ts alone', () => {
    const readers = files.filter((file) => readFileSync(join(src, file), 'utf8').includes('process.env'));
    expect(readers).toEqual(['config.ts']);
  });

  it('makes services in server.ts alone', () => {
    const makers = files.filter((file) => /\bnew \w+Service\(/.test(readFileSync(join(src, file), 'utf8')));
    expect(makers).toEqual(['server.ts']);
  });

  it('writes lists of words that models and schemas share once, in words.ts', () => {
    const listsIn = (room: string) =>
      files
        .filter((file) => roomOf(file) === room)
        .flatMap((file) => [
          ...readFileSync(join(src, file), 'utf8').matchAll(/\[\s*'[\w-]+'(?:,\s*'[\w-]+')+,?\s*\]/g),
        ])
        .map(([list]) => list.match(/[\w-]+/g)!.join(' '));
    expect(listsIn('words')).toContain('browser api');
    const ofSchemas = listsIn('schemas');
    expect(listsIn('models').filter((list) => ofSchemas.includes(list))).toEqual([]);
  });

  it('has a row for every room', () => {
    expect([...new Set(files.map(roomOf))].filter((room) => !(room in MAY_IMPORT))).toEqual([]);
  });
});
