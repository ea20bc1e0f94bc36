/** The Express application without services, for what must not need them. */
import { pino } from 'pino';
import { type AppDeps, createApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config.ts';

/** @param given collaborators that are asked; whatever is not given answers nothing. */
export function appAlone(given: Partial<AppDeps> = {}) {
  const nothing: object = new Proxy(() => nothing, { get: () => nothing });
  const deps = { config: loadConfig({ NODE_ENV: 'test' }), log: pino({ level: 'silent' }), ...given };
  return createApp(new Proxy(deps, { get: (known, name) => Reflect.get(known, name) ?? nothing }) as AppDeps);
}
